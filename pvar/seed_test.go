package pvar

import _ "github.com/deeplimit/deeplimit/test/fixedseed"
