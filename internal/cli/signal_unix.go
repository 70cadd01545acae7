//go:build unix

package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// saveSignals returns a channel that SIGUSR1 sends to, and a function that ends it.
func saveSignals() (<-chan struct{}, func()) {
	signals, saves := make(chan os.Signal, 1), make(chan struct{})
	ended := make(chan struct{})
	signal.Notify(signals, syscall.SIGUSR1)
	go func() {
		for {
			select {
			case <-ended:
				return
			case <-signals:
			}
			select {
			case <-ended:
				return
			case saves <- struct{}{}:
			}
		}
	}()
	return saves, func() { signal.Stop(signals); close(ended) }
}

// untilNotice returns a context that SIGUSR1 ends, and a function that stops listening.
func untilNotice(ctx context.Context) (context.Context, func()) {
	return signal.NotifyContext(ctx, syscall.SIGUSR1)
}
