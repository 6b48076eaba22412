package background

import "context"

// Propagator stands in for the real one.
type Propagator interface {
	Inject(ctx context.Context) map[string]string
	Extract(ctx context.Context, carried map[string]string) context.Context
}
