package scaling

import _ "github.com/deeplimit/deeplimit/internal/fixedseed"
