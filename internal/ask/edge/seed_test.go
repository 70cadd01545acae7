package edge

import _ "github.com/deeplimit/deeplimit/test/fixedseed"
