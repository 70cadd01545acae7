package dataset

import _ "github.com/deeplimit/deeplimit/test/fixedseed"
