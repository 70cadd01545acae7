package npy

import _ "github.com/deeplimit/deeplimit/test/fixedseed"
