package conformance

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/riveradapter"
)

// untilCancelled sends nil when it starts and then why its context ended.
func untilCancelled(events chan<- error) workFunc {
	return func(ctx context.Context, _ *river.Job[Job]) error {
		events <- nil
		<-ctx.Done()
		events <- context.Cause(ctx)
		return ctx.Err()
	}
}

func TestACancelReachesWhicheverReplicaRunsTheJob(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		events := make(chan error, 1)
		a := start(t, s, quick("a"), riveradapter.WorkFunc(untilCancelled(events)))
		other := quick("other")
		other.Queues = map[string]river.QueueConfig{}
		b := start(t, s, other)
		id := b.insert(Job{}, nil)
		receive(t, events)
		began := time.Now()
		job, err := b.jobs.Cancel(t.Context(), name(id), "olga", "not needed")
		if err != nil || job.Info.Status != fxtasks.Running || job.Info.CancelRequestedAt.IsZero() || job.Info.CancelCause.Error() != "not needed" {
			t.Fatalf("Cancel gives %+v, %v", job, err)
		}
		cause := receive(t, events)
		t.Logf("a cancel from elsewhere took %v", time.Since(began))
		if !errors.Is(cause, fxtasks.ErrCancelled) || cause.Error() != "not needed" {
			t.Errorf("the cause is %v", cause)
		}
		if row := a.ended(id); row.State != rivertype.JobStateCancelled {
			t.Errorf("the job is %+v", row)
		}
		job = b.job(id)
		if job.Info.Status != fxtasks.Cancelled || job.Info.ErrText != "not needed" || !errors.Is(job.Info.Err, fxtasks.ErrCancelled) {
			t.Errorf("the job is %+v", job)
		}
		if job, err := b.jobs.Cancel(t.Context(), name(id), "", ""); !errors.Is(err, fxtasks.ErrFinished) || job.Info.ID != name(id) {
			t.Errorf("a second cancel gives %+v, %v", job, err)
		}
		if c := a.tasks.Stats().ByName["job"]; c.Cancelled != 1 {
			t.Errorf("the tasks are %+v", c)
		}
	})
}

func TestACancelOfTheTaskCancelsTheJobForGood(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		events := make(chan error, 1)
		a := start(t, s, quick("a"), riveradapter.WorkFunc(untilCancelled(events)))
		id := a.insert(Job{}, nil)
		receive(t, events)
		if err := a.tasks.CancelAll(t.Context(), errors.New("enough")); err != nil {
			t.Fatal(err)
		}
		receive(t, events)
		if row := a.ended(id); row.State != rivertype.JobStateCancelled {
			t.Errorf("the job is %+v", row)
		}
	})
}

func TestAQueuedJobIsCancelledAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		a := start(t, s, quick("a"), nothing())
		id := a.insert(Job{}, &river.InsertOpts{ScheduledAt: time.Now().Add(time.Hour)})
		job, err := a.jobs.Cancel(t.Context(), name(id), "", "")
		if err != nil || job.Info.Status != fxtasks.Cancelled {
			t.Errorf("Cancel gives %+v, %v", job, err)
		}
		// A retry takes the cancel back.
		if job, err = a.jobs.Retry(t.Context(), name(id)); err != nil || job.Info.Status != fxtasks.Pending || job.Info.CancelCause != nil {
			t.Errorf("Retry gives %+v, %v", job, err)
		}
		if row := a.ended(id); row.State != rivertype.JobStateCompleted {
			t.Errorf("the job is %+v", row)
		}
	})
}

func TestARunningJobIsNotRetried(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		events := make(chan error, 1)
		a := start(t, s, quick("a"), riveradapter.WorkFunc(untilCancelled(events)))
		id := a.insert(Job{}, nil)
		receive(t, events)
		if _, err := a.jobs.Retry(t.Context(), name(id)); !errors.Is(err, fxtasks.ErrStillRunning) {
			t.Errorf("Retry gives %v, want ErrStillRunning", err)
		}
		if _, err := a.jobs.Cancel(t.Context(), name(id), "", ""); err != nil {
			t.Error(err)
		}
		receive(t, events)
	})
}

func TestUnknownJobsAreNotFound(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		a := start(t, s, quick("a"), nothing())
		for _, id := range []string{"", "0", "-1", "1", "01", "x", "99999999999999999999"} {
			if _, err := a.jobs.Job(t.Context(), id); !errors.Is(err, fxtasks.ErrNotFound) {
				t.Errorf("Job(%q) gives %v", id, err)
			}
			if _, err := a.jobs.Cancel(t.Context(), id, "", ""); !errors.Is(err, fxtasks.ErrNotFound) {
				t.Errorf("Cancel(%q) gives %v", id, err)
			}
			if _, err := a.jobs.Retry(t.Context(), id); !errors.Is(err, fxtasks.ErrNotFound) {
				t.Errorf("Retry(%q) gives %v", id, err)
			}
		}
		if _, err := riveradapter.Wait(t.Context(), a.client, 1); !errors.Is(err, river.ErrNotFound) {
			t.Errorf("Wait gives %v", err)
		}
	})
}
