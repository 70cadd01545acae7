package resnet

import _ "github.com/deeplimit/deeplimit/test/fixedseed"
