package main

import (
	"context"
	"sync/atomic"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/fxtasks/background/fxtasks"
)

// store is what the tasks use and a stop hook closes, as a database is.
type store struct{ closed atomic.Bool }

func openStore(lc fx.Lifecycle, log *zap.Logger) *store {
	s := new(store)
	lc.Append(fx.StopHook(func() {
		s.closed.Store(true)
		log.Info("store closed")
	}))
	return s
}

// use is called by tasks.
func (s *store) use(ctx context.Context) {
	if s.closed.Load() {
		fxtasks.Logger(ctx).Error("store used after it was closed")
	}
}
