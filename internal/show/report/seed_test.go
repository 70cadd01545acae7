package report

import _ "github.com/deeplimit/deeplimit/test/fixedseed"
