package pvar

import _ "github.com/deeplimit/deeplimit/internal/fixedseed"
