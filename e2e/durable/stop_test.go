//go:build unix

package durable_test

import (
	"strings"
	"testing"
	"time"

	"github.com/fxtasks/background/internal/pgtest"
)

func proxied(db string, server *pgtest.Server, proxy *pgtest.Proxy) string {
	return strings.Replace(db, server.Address(), proxy.Address(), 1)
}

// TestARollingRestart stops each of three replicas in turn, under load, while a periodic job has its periods.
func TestARollingRestart(t *testing.T) {
	t.Parallel()
	db := pgtest.Shared(t).Database(t)
	replicas := []*replica{start(t, db, "a"), start(t, db, "b"), start(t, db, "c")}
	l := &ledger{t: t}
	for range 2 {
		for i, r := range replicas {
			l.load(3*time.Second, replicas...)
			r.stop()
			replicas[i] = start(t, db, r.name)
		}
	}
	l.load(time.Second, replicas...)
	l.once(l.settle(replicas[0]))
	noTickIsLeftOut(replicas[0])
}

// noTickIsLeftOut waits until there was a tick every 10 s, up to now. Ticks that were held up end in any order.
func noTickIsLeftOut(r *replica) {
	r.t.Helper()
	var ticks []struct{ At time.Time }
	defer func() {
		if r.t.Failed() {
			r.t.Logf("the ticks are %v", ticks)
		}
	}()
	await(r.t, "a tick every 10 s", func() bool {
		r.get("/ticks", &ticks)
		for i, tick := range ticks {
			if !tick.At.Equal(ticks[0].At.Add(time.Duration(i) * 10 * time.Second)) {
				return false
			}
		}
		return len(ticks) > 1 && time.Since(ticks[len(ticks)-1].At) < 10*time.Second
	})
}

// TestPostgreSQLRestartsUnderLoad restarts it, and then leaves it away for a minute.
func TestPostgreSQLRestartsUnderLoad(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	db := server.Database(t)
	a, b := start(t, db, "a"), start(t, db, "b")
	l := &ledger{t: t}
	l.load(2*time.Second, a, b)
	for _, away := range []time.Duration{0, time.Minute} {
		if err := server.Down(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(away) // the test's subject
		if err := server.Up(); err != nil {
			t.Fatal(err)
		}
		await(t, "back", func() bool { return a.post("back", 0, 0) != "" })
		l.load(2*time.Second, a, b)
	}
	l.settle(b)
	noTickIsLeftOut(b)
}
