package main

import (
	"sync"

	"github.com/alitto/pond/v2"
	"github.com/panjf2000/ants/v2"
	concpool "github.com/sourcegraph/conc/pool"
	"golang.org/x/sync/errgroup"
)

// The libraries beside which ours is measured. None of them can show or cancel a single task, and
// each is used as its documentation does.

var peerModules = []string{
	"github.com/alitto/pond/v2",
	"github.com/panjf2000/ants/v2",
	"github.com/sourcegraph/conc",
	"github.com/failsafe-go/failsafe-go",
	"golang.org/x/sync",
	"github.com/google/uuid",
	"github.com/labstack/echo/v4",
}

// poolSize is that of the peers that have a fixed number of workers.
const poolSize = 1000

type pondPool struct{ p pond.Pool }

func openPond(workers int) func() pool {
	return func() pool { return pondPool{pond.NewPool(workers)} }
}

func (p pondPool) start(w work) { p.p.SubmitErr(w.plain) }
func (p pondPool) wait()        { p.p.StopAndWait() }
func (p pondPool) close()       { p.p.StopAndWait() }

func (p pondPool) do(w work) {
	if err := p.p.SubmitErr(w.plain).Wait(); err != nil {
		panic(err)
	}
}

type antsPool struct {
	p       *ants.Pool
	running sync.WaitGroup
}

func openAnts() pool { return &antsPool{p: must(ants.NewPool(poolSize))} }

func (p *antsPool) start(w work) {
	p.running.Add(1)
	err := p.p.Submit(func() {
		defer p.running.Done()
		_ = w.plain()
	})
	if err != nil {
		panic(err)
	}
}

func (p *antsPool) wait()  { p.running.Wait() }
func (p *antsPool) close() { p.wait(); p.p.Release() }

type concPool struct {
	p    *concpool.ErrorPool
	once sync.Once // it can be waited for but once
}

func openConc() pool { return &concPool{p: concpool.New().WithErrors()} }

func (p *concPool) start(w work) { p.p.Go(w.plain) }
func (p *concPool) close()       { p.wait() }

func (p *concPool) wait() {
	p.once.Do(func() {
		if err := p.p.Wait(); err != nil {
			panic(err)
		}
	})
}

type errGroup struct{ g errgroup.Group }

func openErrGroup() pool { return new(errGroup) }

func (p *errGroup) start(w work) { p.g.Go(w.plain) }
func (p *errGroup) close()       { p.wait() }

func (p *errGroup) wait() {
	if err := p.g.Wait(); err != nil {
		panic(err)
	}
}
