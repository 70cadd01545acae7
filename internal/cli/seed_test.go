package cli

import _ "github.com/deeplimit/deeplimit/test/fixedseed"
