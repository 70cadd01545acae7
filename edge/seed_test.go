package edge

import _ "github.com/deeplimit/deeplimit/internal/fixedseed"
