package study

import _ "github.com/deeplimit/deeplimit/test/fixedseed"
