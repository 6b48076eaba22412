package background

import "context"

// Propagator carries what a context says, a trace for example, to whichever process works the job.
// A telemetry adapter provides one, and riveradapter uses it if the graph has it. Its methods may
// be called by any number of goroutines.
type Propagator interface {
	// Inject returns what is to be carried with the work that is submitted with ctx. It may be nil.
	Inject(ctx context.Context) map[string]string
	// Extract returns ctx with what was carried. It gets what Inject returned, possibly in another
	// process, and nil for work that carries nothing.
	Extract(ctx context.Context, carried map[string]string) context.Context
}
