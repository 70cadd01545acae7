package curvature

import _ "github.com/deeplimit/deeplimit/test/fixedseed"
