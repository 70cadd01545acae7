// Package faults holds the tests of what a study survives: faults of the disk at every
// call (internal/disk), damaged files, kills, and folders that are read-only, full or
// gone. `make faults` runs them in full; `go test` takes a sample of each.
package faults
