package activation_test

import _ "github.com/deeplimit/deeplimit/test/fixedseed"
