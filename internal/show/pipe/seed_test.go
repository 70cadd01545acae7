package pipe

import _ "github.com/deeplimit/deeplimit/test/fixedseed"
