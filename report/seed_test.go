package report

import _ "github.com/deeplimit/deeplimit/internal/fixedseed"
