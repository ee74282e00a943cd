// Package grace lets what has begun end well.
package grace

import (
	"context"
	"time"
)

// Context returns a context that outlives ctx by grace, and lasts for timeout at
// most.
func Context(ctx context.Context, timeout, grace time.Duration) (context.Context, context.CancelFunc) {
	detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	return detached, func() {
		stop()
		cancel()
	}
}
