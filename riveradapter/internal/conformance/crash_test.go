package conformance

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/riveradapter"
)

func TestTheJobsOfADeadReplicaRunElsewhere(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		c := startChild(t, s.source)
		own := quick("a")
		own.Queues = map[string]river.QueueConfig{"own": {MaxWorkers: 10}}
		long := make(chan struct{})
		a := start(t, s, own, riveradapter.WorkFunc(func(ctx context.Context, _ *river.Job[Job]) error {
			select {
			case <-long:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}))
		mine := a.insert(Job{}, &river.InsertOpts{Queue: "own"})
		id := a.insert(Job{}, nil)
		last := a.insert(Job{}, &river.InsertOpts{MaxAttempts: 1})
		c.says("running")
		c.says("running")

		if err := c.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		killed := time.Now()
		b := start(t, s, quick("b"), nothing())
		row := b.ended(id)
		t.Logf("from kill -9 to the end elsewhere: %v, at a heartbeat of %v", time.Since(killed), heartbeat)
		if row.State != rivertype.JobStateCompleted || row.Attempt != 2 || len(row.Errors) != 1 || !strings.Contains(row.Errors[0].Error, "child@") {
			t.Errorf("the job is %+v", row)
		}
		if row := b.ended(last); row.State != rivertype.JobStateDiscarded || row.Attempt != 1 {
			t.Errorf("the job with one attempt is %+v, want it discarded", row)
		}
		if job := b.job(last); job.Instance != "child" || job.Info.Status != fxtasks.Failed {
			t.Errorf("the job with one attempt is %+v", job)
		}
		if row := b.row(mine); row.State != rivertype.JobStateRunning || row.Attempt != 1 {
			t.Errorf("the job of a replica that lives is %+v", row)
		}
		close(long)
		if row := b.ended(mine); row.State != rivertype.JobStateCompleted || row.Attempt != 1 {
			t.Errorf("the job of a replica that lives is %+v", row)
		}
	})
}

func TestAReplicaThatIsFrozen(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		c := startChild(t, s.source)
		cfg := quick("a")
		cfg.Queues = map[string]river.QueueConfig{"own": {MaxWorkers: 1}} // it recovers, and leaves the work to another
		a := start(t, s, cfg, nothing())
		waits := a.insert(Job{}, nil)
		sleeps := a.insert(Job{"sleep"}, nil)
		c.says("running")
		c.says("running")
		if err := c.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * heartbeat) // the test's point: nothing happens, or all has by now
		if s.isSQLite() {
			if row := a.row(waits); row.State != rivertype.JobStateRunning || row.Attempt != 1 {
				t.Errorf("the job is %+v, want it left to the replica, which holds its lock", row)
			}
			return
		}
		await(t, "recovered", func() bool { return a.row(waits).State == rivertype.JobStateAvailable })
		slow := make(chan struct{})
		b := start(t, s, quick("b"), riveradapter.WorkFunc(func(ctx context.Context, _ *river.Job[Job]) error {
			select {
			case <-slow:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}))
		await(t, "running elsewhere", func() bool { return b.tasks.Stats().Running == 2 })
		if err := c.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		line := c.says(fmt.Sprint("ended ", waits))
		if !strings.Contains(line, "another replica") {
			t.Errorf("the job that was taken over ended so: %s", line)
		}
		c.says(fmt.Sprint("returns ", sleeps))
		time.Sleep(2 * heartbeat) // long enough for River to have written what came back
		for _, id := range []int64{waits, sleeps} {
			if row := b.row(id); row.State != rivertype.JobStateRunning || row.Attempt != 2 || len(row.Errors) != 1 {
				t.Errorf("the job is %+v, want what the woken replica returned not to be written", row)
			}
		}
		close(slow)
		for _, id := range []int64{waits, sleeps} {
			if row := b.ended(id); row.State != rivertype.JobStateCompleted || row.Attempt != 2 {
				t.Errorf("the job is %+v", row)
			}
		}
	})
}

func TestARowThatAReplicaDoesNotKnowIsGivenBack(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		a := start(t, s, quick("a"), nothing())
		first := a.ended(a.insert(Job{}, nil))
		id := a.insert(Job{}, &river.InsertOpts{ScheduledAt: time.Now().Add(time.Hour)})
		// As if it had been fetched, and the answer was lost.
		owner := first.AttemptedBy[0]
		s.exec(t,
			`UPDATE river_job SET state = 'running', attempt = 1, attempted_at = now(), attempted_by = ARRAY[$1] WHERE id = $2`,
			`UPDATE river_job SET state = 'running', attempt = 1, attempted_at = datetime('now', 'subsec'), attempted_by = jsonb_array(?) WHERE id = ?`,
			owner, id)
		if row := a.ended(id); row.State != rivertype.JobStateCompleted || row.Attempt != 1 || len(row.Errors) != 0 {
			t.Errorf("the job is %+v, want it completed by a first attempt", row)
		}
	})
}

func TestTheJobsOfOtherClientsOfRiverAreLeftToRiver(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		a := start(t, s, quick("a"), nothing())
		id := a.insert(Job{}, &river.InsertOpts{ScheduledAt: time.Now().Add(time.Hour)})
		s.exec(t,
			`UPDATE river_job SET state = 'running', attempt = 1, attempted_at = now(), attempted_by = ARRAY['somebody'] WHERE id = $1`,
			`UPDATE river_job SET state = 'running', attempt = 1, attempted_at = datetime('now', 'subsec'), attempted_by = jsonb_array('somebody') WHERE id = ?`,
			id)
		time.Sleep(10 * heartbeat) // the test's point: nothing happens
		if row := a.row(id); row.State != rivertype.JobStateRunning {
			t.Errorf("the job is %+v", row)
		}
		if job := a.job(id); job.Instance != "somebody" {
			t.Errorf("the job's instance is %q", job.Instance)
		}
	})
}

func TestRiversRescuerLeavesTheJobsOfLiveReplicasAlone(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		cfg := quick("a")
		configure := cfg.Configure
		cfg.Configure = func(c *river.Config) {
			configure(c)
			c.JobTimeout, c.RescueStuckJobsAfter = 100*time.Millisecond, 200*time.Millisecond
		}
		done := make(chan struct{})
		a := start(t, s, cfg, riveradapter.WorkFunc(func(context.Context, *river.Job[Job]) error {
			<-done // it ignores its timeout
			return nil
		}))
		id := a.insert(Job{}, nil)
		await(t, "running", func() bool { return a.row(id).State == rivertype.JobStateRunning })
		time.Sleep(35 * time.Second) // the rescuer runs every 30 s, and nothing happens
		if row := a.row(id); row.State != rivertype.JobStateRunning || row.Attempt != 1 || len(row.Errors) != 0 {
			t.Errorf("the job is %+v", row)
		}
		close(done)
		if row := a.ended(id); row.State != rivertype.JobStateCompleted {
			t.Errorf("the job is %+v", row)
		}
	})
}
