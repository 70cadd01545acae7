//go:build !(linux || darwin || freebsd || windows)

package sweep

import "errors"

func freeBytes(string) (float64, error) { return 0, errors.ErrUnsupported }
