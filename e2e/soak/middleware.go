package main

import (
	"context"

	"github.com/fxtasks/background/e2e/soak/checks"
	"github.com/fxtasks/background/fxtasks"
)

// mark is what middleware leaves in the context.
type mark struct {
	task  *fxtasks.Task
	count int // of the middleware passed so far
}

type markKey struct{}

func marksOf(ctx context.Context, self *fxtasks.Task) int {
	if m, ok := ctx.Value(markKey{}).(mark); ok && m.task == self { // a task that submits another passes its marks on
		return m.count
	}
	return 0
}

// marks gives middleware that wants to be called with so much other around it.
func marks(f *checks.Findings, outer int) fxtasks.Middleware {
	return func(next fxtasks.Func) fxtasks.Func {
		return func(ctx context.Context) error {
			self, _ := fxtasks.FromContext(ctx)
			if n := marksOf(ctx, self); n != outer {
				f.Addf("middleware %d is called inside of %d", outer, n)
			}
			return next(context.WithValue(ctx, markKey{}, mark{self, outer + 1}))
		}
	}
}
