package tune

import _ "github.com/deeplimit/deeplimit/test/fixedseed"
