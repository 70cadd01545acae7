package weightpath

import _ "github.com/deeplimit/deeplimit/internal/fixedseed"
