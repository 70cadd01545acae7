package slurm

import _ "github.com/deeplimit/deeplimit/internal/fixedseed"
