package cli

// maxrssUnit is what Rusage.Maxrss counts.
const maxrssUnit = 1 << 10
