package fxtasks_test

import (
	"errors"
	"time"

	"pgregory.net/rapid"

	"github.com/fxtasks/background/fxtasks"
)

func drawGroupConfig(rt *rapid.T, limited bool) (cfg fxtasks.GroupConfig) {
	if limited {
		cfg.MaxRunning = rapid.SampledFrom([]int{1, 2, 4}).Draw(rt, "MaxRunning")
		cfg.MaxPending = rapid.SampledFrom([]int{1, 2, -1, 0}).Draw(rt, "MaxPending")
	}
	cfg.TaskTimeout = rapid.SampledFrom([]time.Duration{0, modelTimeout, -1}).Draw(rt, "TaskTimeout")
	cfg.DrainGrace = rapid.SampledFrom([]time.Duration{modelGrace, 0, -1, time.Hour}).Draw(rt, "DrainGrace")
	return cfg
}

func (md *model) makeGroup(rt *rapid.T, name string, cfg fxtasks.GroupConfig) {
	g, err := md.m.Group(name, cfg)
	if err != nil {
		rt.Fatal(err)
	}
	inherit := func(d *time.Duration, manager time.Duration) {
		if *d == 0 {
			*d = manager
		}
		*d = max(0, *d)
	}
	inherit(&cfg.TaskTimeout, md.cfg.TaskTimeout)
	inherit(&cfg.DrainGrace, md.cfg.DrainGrace)
	md.scopes = append(md.scopes, &modelScope{name: name, into: g, cfg: cfg})
}

// stepGroup makes one more group, or one that must be refused.
func (md *model) stepGroup(rt *rapid.T) {
	if md.all.state != fxtasks.Open {
		if _, err := md.m.Group("new", fxtasks.GroupConfig{}); !errors.Is(err, fxtasks.ErrShuttingDown) {
			rt.Errorf("Group gave %v, want ErrShuttingDown", err)
		}
		return
	}
	for name, cfg := range map[string]fxtasks.GroupConfig{"a": {}, "": {}, "new": {MaxRunning: -1}} {
		if _, err := md.m.Group(name, cfg); !errors.Is(err, fxtasks.ErrInvalid) {
			rt.Errorf("Group(%q, %+v) gave %v, want ErrInvalid", name, cfg, err)
		}
	}
	if len(md.scopes) < 5 {
		md.makeGroup(rt, string(rune('a'+len(md.scopes)-1)), drawGroupConfig(rt, true))
	}
}
