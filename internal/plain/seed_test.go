package plain

import _ "github.com/deeplimit/deeplimit/internal/fixedseed"
