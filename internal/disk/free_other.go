//go:build !(linux || darwin || freebsd || windows)

package disk

import "errors"

// Free returns an error: the free space of a disk is not known here.
func Free(string) (float64, error) { return 0, errors.ErrUnsupported }
