//go:build unix && !linux

package cli

// maxrssUnit is what Rusage.Maxrss counts.
const maxrssUnit = 1
