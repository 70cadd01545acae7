package compare

import _ "github.com/deeplimit/deeplimit/test/fixedseed"
