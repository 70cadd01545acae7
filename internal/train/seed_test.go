package train

import _ "github.com/deeplimit/deeplimit/test/fixedseed"
