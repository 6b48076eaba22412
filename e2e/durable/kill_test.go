//go:build unix

package durable_test

import (
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fxtasks/background/internal/pgtest"
)

func TestKilledUnderLoad_postgres(t *testing.T) {
	t.Parallel()
	db := pgtest.Shared(t).Database(t)
	a, b, c := start(t, db, "a"), start(t, db, "b"), start(t, db, "c")
	l := &ledger{t: t, steps: 20}
	l.load(3*time.Second, a, b, c)
	a.kill()
	l.load(2*time.Second, a, b, c)
	a = start(t, db, "a")
	b.kill()
	l.load(2*time.Second, a, b, c)
	l.settle(c)
}

func TestKilledUnderLoad_sqlite(t *testing.T) {
	t.Parallel()
	db := "sqlite:" + filepath.Join(t.TempDir(), "jobs.db")
	l := &ledger{t: t, steps: 20}
	for range 4 {
		a := start(t, db, "a")
		l.load(2*time.Second, a)
		a.kill()
	}
	l.settle(start(t, db, "a"))
}

// onBoth runs test on an empty database of each kind.
func onBoth(t *testing.T, test func(t *testing.T, db string)) {
	t.Run("postgres", func(t *testing.T) { t.Parallel(); test(t, pgtest.Shared(t).Database(t)) })
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); test(t, "sqlite:"+filepath.Join(t.TempDir(), "jobs.db")) })
}

// TestALongJobOfADeadReplica measures the time from kill -9 until its job runs elsewhere.
func TestALongJobOfADeadReplica(t *testing.T) {
	onBoth(t, func(t *testing.T, db string) {
		a := start(t, db, "a")
		id := a.post("long", 3600, time.Second)
		await(t, "running", func() bool { return a.job(id).Status == "running" })
		b := start(t, db, "b")
		var others []string // of which b runs some, or all
		for range 10 {
			others = append(others, b.post("other", 60, time.Second))
		}
		await(t, "others run", func() bool {
			return !slices.ContainsFunc(others, func(id string) bool { return a.job(id).Status != "running" })
		})
		others = slices.DeleteFunc(others, func(id string) bool { return a.job(id).Instance != "b" })
		a.kill()
		killed := time.Now()
		await(t, "running elsewhere", func() bool { j := b.job(id); return j.Status == "running" && j.Instance == "b" })
		j := b.job(id)
		if len(j.Failures) != 1 {
			t.Fatalf("the job is %+v, want one failure", j)
		}
		recovered := j.Failures[0].At
		t.Logf("from kill -9 to running elsewhere: %v, and of that from the recovery on: %v", time.Since(killed), j.StartedAt.Sub(recovered))
		for _, id := range others {
			if j := b.job(id); len(j.Failures) != 0 {
				t.Errorf("a job of the replica that lives is %+v", j)
			}
		}
	})
}

// TestACancelFromAnotherReplica measures the time from the request until the job has ended its work.
func TestACancelFromAnotherReplica(t *testing.T) {
	onBoth(t, func(t *testing.T, db string) {
		a := start(t, db, "a")
		b := start(t, db, "b")
		var took []time.Duration
		for range 20 {
			id := a.post("cancelled", 3600, time.Second)
			await(t, "running", func() bool { return a.job(id).Status == "running" })
			other := a
			if a.job(id).Instance == "a" {
				other = b
			}
			asked := time.Now()
			if !other.try(http.MethodDelete, "/background/jobs/"+id, "", nil) {
				t.Fatal("the cancel was refused")
			}
			await(t, "cancelled", func() bool { return other.job(id).Status == "cancelled" })
			j := other.job(id)
			took = append(took, j.FinishedAt.Sub(asked))
		}
		slices.Sort(took)
		t.Logf("a cancel took %v to %v, half of them up to %v", took[0], took[len(took)-1], took[len(took)/2])
		if longest := took[len(took)-1]; longest > 10*time.Second { // where its notification is lost it takes a minute
			t.Errorf("a cancel took %v, want a second at most", longest)
		}
	})
}

func TestAReplicaThatIsFrozenForAMinute(t *testing.T) {
	t.Parallel()
	db := pgtest.Shared(t).Database(t)
	a := start(t, db, "a")
	id := a.post("frozen", 50, time.Second)
	await(t, "running", func() bool { return a.job(id).Status == "running" })
	b := start(t, db, "b")
	a.signal(syscall.SIGSTOP)
	time.Sleep(time.Minute) // the test's subject
	if j := b.job(id); j.Instance != "b" || j.Status != "running" {
		t.Errorf("the job of the frozen replica is %+v", j)
	}
	a.signal(syscall.SIGCONT)
	await(t, "done", func() bool { return b.job(id).Status == "completed" })
	var reports []report
	b.get("/reports", &reports)
	if len(reports) != 1 || reports[0].Instance != "b" {
		t.Errorf("the reports are %+v, want one, of b", reports)
	}
	l := &ledger{t: t} // and the replica works again
	l.load(time.Second, a)
	l.once(l.settle(a))
}

func TestAReplicaThatIsCutOffFromItsDatabase(t *testing.T) {
	t.Parallel()
	server := pgtest.Shared(t)
	proxy := pgtest.NewProxy(t, server.Address())
	db := server.Database(t)
	a := start(t, proxied(db, server, proxy), "a")
	id := a.post("cut", 70, time.Second)
	await(t, "running", func() bool { return a.job(id).Status == "running" })
	b := start(t, db, "b")
	proxy.Cut()
	cut := time.Now()
	await(t, "running elsewhere", func() bool { return b.job(id).Instance == "b" })
	t.Logf("from the cut to running elsewhere: %v", time.Since(cut))
	proxy.Restore()
	await(t, "done", func() bool { return b.job(id).Status == "completed" })
	var reports []report
	b.get("/reports", &reports)
	if len(reports) != 1 || reports[0].Instance != "b" {
		t.Errorf("the reports are %+v, want one, of b", reports)
	}
}

func TestTenReplicasStartAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, db string) {
		var all sync.WaitGroup
		replicas := make([]*replica, 10)
		began := time.Now()
		for i := range replicas {
			replicas[i] = launch(t, db, "r")
		}
		for _, r := range replicas {
			all.Go(r.up)
		}
		all.Wait()
		t.Logf("ten processes were up after %v", time.Since(began))
		l := &ledger{t: t}
		l.load(2*time.Second, replicas...)
		l.once(l.settle(replicas[0]))
	})
}
