package resnet

import _ "github.com/deeplimit/deeplimit/internal/fixedseed"
