package runfolder

import (
	"fmt"
	"math"
	"path/filepath"

	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/machine"
	"github.com/deeplimit/deeplimit/internal/yamltext"
)

// The largest files that are read whole, by what grows in them.
const (
	maxRecord = 16 << 20  // of one run, or of a study without its runs
	maxTable  = 256 << 20 // JSON with an entry for each run or measurement
	maxTrace  = 1 << 30   // Parquet, and the live trace
	maxLease  = 64 << 10
	// MaxFamilies is the largest families.json.
	MaxFamilies = maxTable
)

// limitOf returns the most bytes that the file may have. Arrays may fill the memory.
func limitOf(path string) int64 {
	name := filepath.Base(path)
	switch {
	case name == studyFile:
		return yamltext.Limit
	case name == manifestFile || name == submissionFile || name == certificatesFile || name == transferFile || name == kernelFile || name == Families+".json":
		return maxTable
	case leaseNumber(name) > 0:
		return maxLease
	case filepath.Ext(name) == ".parquet" || name == liveFile:
		return maxTrace
	case filepath.Ext(name) == ".safetensors":
		if memory := machine.Memory(); memory > 0 {
			return memory
		}
		return math.MaxInt64
	}
	return maxRecord
}

// checkSize returns a *disk.TooLargeError for a file that is too large to be read whole.
func checkSize(path string, size int64) error {
	if limit := limitOf(path); size > limit {
		return &disk.TooLargeError{Path: path, Size: size, Limit: limit}
	}
	return nil
}

// readFile returns the content of a file, unless it is larger than such a file may be.
func readFile(path string) ([]byte, error) {
	data, err := disk.ReadFile(path, limitOf(path))
	if err != nil {
		return nil, fmt.Errorf("runfolder: %w", err)
	}
	return data, nil
}

// checkWritten refuses to write a file that readFile would not read; what says what
// makes it so large.
func checkWritten(path string, text []byte, what string) error {
	if err := checkSize(path, int64(len(text))); err != nil {
		return fmt.Errorf("runfolder: writing %s: got %d bytes for %s, want at most %d", path, len(text), what, limitOf(path))
	}
	return nil
}
