package plain

import _ "github.com/deeplimit/deeplimit/test/fixedseed"
