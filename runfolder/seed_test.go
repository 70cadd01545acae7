package runfolder

import _ "github.com/deeplimit/deeplimit/test/fixedseed"
