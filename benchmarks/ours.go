package main

import (
	"context"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// ours is a Manager, without a logger.
type ours struct{ m *fxtasks.Manager }

// open makes one of that Config, which is the default one but where a row says otherwise. The hour
// only keeps a drain of a million tasks from being cut short.
func open(cfg fxtasks.Config) ours {
	cfg.ShutdownTimeout = time.Hour
	return ours{must(fxtasks.New(cfg))}
}

var defaults fxtasks.Config

func openOurs() pool { return open(defaults) }

func (o ours) start(w work) { o.submit("work", w) }

func (o ours) submit(name string, w work) *fxtasks.Task {
	return must(o.m.Submit(context.Background(), name, w.run))
}

func (o ours) do(w work) {
	if err := o.submit("work", w).Wait(context.Background()); err != nil {
		panic(err)
	}
}

func (o ours) wait() {
	if err := o.m.Wait(context.Background()); err != nil {
		panic(err)
	}
}

func (o ours) close() { must(o.m.Shutdown(context.Background())) }
