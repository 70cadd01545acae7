package sweep

import (
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/cpu"

	"github.com/deeplimit/deeplimit/internal/kernel"
)

// environment describes the machine and the program for run.json. None of it
// changes a result.
func environment() map[string]string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown: " + err.Error()
	}
	var features []string
	for _, f := range []struct {
		name string
		has  bool
	}{{"fma", cpu.X86.HasFMA}, {"avx2", cpu.X86.HasAVX2}, {"avx512f", cpu.X86.HasAVX512F}} {
		if f.has {
			features = append(features, f.name)
		}
	}
	return map[string]string{
		"host": host, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH,
		"cpus": strconv.Itoa(runtime.NumCPU()), "cpu_features": strings.Join(features, " "),
		"kernel_tier": kernel.For[float64]().Tier,
	}
}
