package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"reflect"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/e2e/soak/checks"
	"github.com/fxtasks/background/fxtasks"
)

func TestSoak(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-for", "1s"}, &out); err != nil {
		t.Fatalf("soak gave %v\n%s", err, out.String())
	}
	for _, want := range []string{"-seed ", "rounds ", "submitted: ", "submit with a deadline", "goroutines ", "heap ", "every promise was kept"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("soak printed %q, want it to tell %q", out.String(), want)
		}
	}
}

// Ctrl-C ends the first round early, and the report comes all the same.
func TestSoakIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	if err := run(ctx, []string{"-for", "1h"}, &out); err != nil {
		t.Fatalf("soak gave %v\n%s", err, out.String())
	}
	if !strings.Contains(out.String(), "rounds      1") {
		t.Errorf("soak printed %q, want a report of one round", out.String())
	}
}

func TestSoakRefusesUnknownFlags(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-help"}, &out); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("soak -help gave %v", err)
	}
	if err := run(t.Context(), []string{"-hard"}, &out); err == nil {
		t.Error("soak -hard gave no error")
	}
}

// What was found is told with all that it takes to repeat the round.
func TestFindingsAreTold(t *testing.T) {
	var out bytes.Buffer
	s := draw(7, 3)
	f := new(checks.Findings)
	printFindings(&out, &s, f)
	if out.Len() > 0 {
		t.Errorf("printed %q of nothing", out.String())
	}
	f.Addf("one thing")
	f.Addf("another")
	printFindings(&out, &s, f)
	for _, want := range []string{"round 3 of seed 7", "MaxRunning:", "one thing", "another"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("printed %q, want it to tell %q", out.String(), want)
		}
	}
}

func TestSeedRepeatsTheSettings(t *testing.T) {
	if a, b := draw(7, 3), draw(7, 3); !reflect.DeepEqual(a, b) {
		t.Errorf("the same seed gave %v and %v", a, b)
	}
	if a, b := draw(7, 3), draw(8, 3); reflect.DeepEqual(a, b) {
		t.Errorf("two seeds gave %v", a)
	}
}

func TestWatchdog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var beats, barks atomic.Uint64
		go watchdog(t.Context(), beats.Load, 30*time.Second, func() { barks.Add(1) })
		for range 100 { // for longer than it waits, while something goes on
			time.Sleep(time.Second)
			beats.Add(1)
		}
		if barks.Load() > 0 {
			t.Error("the watchdog barks while something goes on")
		}
		time.Sleep(time.Minute)
		if n := barks.Load(); n != 1 {
			t.Errorf("the watchdog barked %d times when all stood still, want once", n)
		}
	})
}

func TestLimitsOfAGroup(t *testing.T) {
	for _, c := range []struct {
		manager fxtasks.Config
		group   fxtasks.GroupConfig
		want    limits
	}{
		{fxtasks.Config{}, fxtasks.GroupConfig{}, limits{0, 0}},
		{fxtasks.Config{MaxRunning: 4, MaxPending: 8}, fxtasks.GroupConfig{}, limits{4, 8}},
		{fxtasks.Config{}, fxtasks.GroupConfig{MaxRunning: 2, MaxPending: 3}, limits{2, 3}},
		{fxtasks.Config{MaxRunning: 4, MaxPending: 1}, fxtasks.GroupConfig{MaxRunning: 2, MaxPending: 16}, limits{2, 1}},
		{fxtasks.Config{MaxPending: -1}, fxtasks.GroupConfig{MaxPending: 16}, limits{0, -1}},
		{fxtasks.Config{MaxPending: 8}, fxtasks.GroupConfig{MaxPending: -1}, limits{0, -1}},
	} {
		s := settings{config: c.manager, groups: map[string]fxtasks.GroupConfig{"mail": c.group}}
		if got := s.limits("mail"); got != c.want {
			t.Errorf("limits of %+v in %+v are %+v, want %+v", c.group, c.manager, got, c.want)
		}
	}
}

// What finished tasks must not keep is found if it is kept.
func TestRemainsAreChecked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // it waits for it to go
		m, err := fxtasks.New(fxtasks.Config{})
		if err != nil {
			t.Fatal(err)
		}
		var list manifest
		held := list.load(7, "the function")
		f := new(checks.Findings)
		(&remains{manager: m, cargo: list.list}).check(f)
		if found := strings.Join(f.List(), "\n"); !strings.Contains(found, "the function of submit 7") {
			t.Errorf("found %q, want the cargo that is held", found)
		}
		f = new(checks.Findings)
		(&remains{manager: m}).check(f)
		if found := strings.Join(f.List(), "\n"); !strings.Contains(found, "something keeps the manager") {
			t.Errorf("found %q, want the manager that is held", found)
		}
		runtime.KeepAlive(held)
		runtime.KeepAlive(m)
	})
}
