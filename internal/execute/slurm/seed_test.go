package slurm

import _ "github.com/deeplimit/deeplimit/test/fixedseed"
