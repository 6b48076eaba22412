// Package attemptinfo tells the other packages of this repository about the attempt to which a context belongs.
// Info has less than fxtasks.Info, and costs neither an allocation nor, where nothing makes a task wait, a mutex:
// an adapter asks for it at the beginning of each attempt.
package attemptinfo

import (
	"context"
	"time"
)

// Info is about an attempt that has begun.
type Info struct {
	Name, Group string
	Waited      time.Duration // since it was due
}

// Key is the key of the Teller among the values of a context.
type Key struct{}

// Teller is implemented by the contexts of tasks.
type Teller interface{ AttemptInfo() Info }

// Of returns what is known of the attempt that ctx belongs to.
func Of(ctx context.Context) (Info, bool) {
	t, ok := ctx.Value(Key{}).(Teller)
	if !ok {
		return Info{}, false
	}
	return t.AttemptInfo(), true
}
