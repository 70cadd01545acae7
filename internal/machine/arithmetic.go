package machine

import (
	"runtime"
	"runtime/debug"
	"sync"
)

// Arithmetic returns what the floating-point operations of this program are compiled for:
// GOARCH and, on amd64, GOAMD64, as in "amd64 v1" or "arm64". Programs that differ in it may
// fuse different multiplications and additions, and their results differ in the last bits.
var Arithmetic = sync.OnceValue(func() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range info.Settings {
			if setting.Key == "GOAMD64" {
				return runtime.GOARCH + " " + setting.Value
			}
		}
	}
	return runtime.GOARCH
})
