package importer

import _ "github.com/deeplimit/deeplimit/test/fixedseed"
