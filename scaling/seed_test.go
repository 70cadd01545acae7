package scaling

import _ "github.com/deeplimit/deeplimit/test/fixedseed"
