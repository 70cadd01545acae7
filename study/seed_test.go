package study

import _ "github.com/deeplimit/deeplimit/internal/fixedseed"
