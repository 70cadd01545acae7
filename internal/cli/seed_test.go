package cli

import _ "github.com/deeplimit/deeplimit/internal/fixedseed"
