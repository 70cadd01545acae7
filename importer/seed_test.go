package importer

import _ "github.com/deeplimit/deeplimit/internal/fixedseed"
