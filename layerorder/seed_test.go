package layerorder

import _ "github.com/deeplimit/deeplimit/test/fixedseed"
