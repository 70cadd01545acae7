//go:build !unix

package cli

import "context"

// saveSignals returns a channel that nothing sends to: there is no SIGUSR1 here.
func saveSignals() (<-chan struct{}, func()) { return nil, func() {} }

// untilNotice returns a context that ends with ctx: there is no SIGUSR1 here.
func untilNotice(ctx context.Context) (context.Context, func()) { return context.WithCancel(ctx) }
