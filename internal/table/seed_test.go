package table

import _ "github.com/deeplimit/deeplimit/internal/fixedseed"
