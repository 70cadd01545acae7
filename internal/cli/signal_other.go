//go:build !unix

package cli

// saveSignals returns a channel that nothing sends to: there is no SIGUSR1 here.
func saveSignals() (<-chan struct{}, func()) { return nil, func() {} }
