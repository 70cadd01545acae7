package table

import _ "github.com/deeplimit/deeplimit/test/fixedseed"
