package dataset

import _ "github.com/deeplimit/deeplimit/internal/fixedseed"
