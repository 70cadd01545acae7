package npy

import _ "github.com/deeplimit/deeplimit/internal/fixedseed"
