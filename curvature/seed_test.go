package curvature

import _ "github.com/deeplimit/deeplimit/internal/fixedseed"
