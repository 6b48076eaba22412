package conformance

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/riveradapter"
)

func TestAnAttemptIsATask(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		infos := make(chan fxtasks.Info, 1)
		a := start(t, s, quick("a"), riveradapter.WorkFunc(func(ctx context.Context, job *river.Job[Job]) error {
			task, ok := fxtasks.FromContext(ctx)
			if !ok {
				return errors.New("no task")
			}
			fxtasks.Logger(ctx).Info("in the job")
			infos <- task.Info()
			return nil
		}))
		id := a.insert(Job{}, &river.InsertOpts{MaxAttempts: 7})
		info := receive(t, infos)
		if info.Name != "job" || info.Group != "jobs/default" || info.Status != fxtasks.Running {
			t.Errorf("the task is %+v", info)
		}
		for key, want := range map[string]string{"job_id": name(id), "queue": "default", "attempt": "1", "max_attempts": "7"} {
			if info.Metadata[key] != want {
				t.Errorf("metadata %s is %q, want %q", key, info.Metadata[key], want)
			}
		}
		if a.logs.FilterMessage("in the job").FilterField(zap.String("job_id", name(id))).Len() != 1 {
			t.Error("fxtasks.Logger has not written a line with the job's ID")
		}
		if row := a.ended(id); row.State != rivertype.JobStateCompleted {
			t.Errorf("the job is %s", row.State)
		}
		job := a.job(id)
		if job.Info.Status != fxtasks.Completed || job.Info.Name != "job" || job.Info.Group != "jobs/default" || job.Instance != "a" ||
			job.Info.ID != name(id) || job.Info.Attempt != 1 || job.Info.MaxAttempts != 7 || job.Info.ExpiresAt.IsZero() {
			t.Errorf("the job is %+v", job)
		}
		if _, ok := a.tasks.Task(info.ID); ok {
			t.Error("the attempt has left a record")
		}
		if n := a.tasks.Stats().ByName["job"].Completed; n != 1 {
			t.Errorf("%d completed tasks, want 1", n)
		}
	})
}

func TestASnoozeIsACompletedTask(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		a := start(t, s, quick("a"), riveradapter.WorkFunc(func(_ context.Context, job *river.Job[Job]) error {
			if !strings.Contains(string(job.Metadata), "snoozes") {
				return river.JobSnooze(10 * time.Millisecond)
			}
			return nil
		}))
		id := a.insert(Job{}, nil)
		if row := a.ended(id); row.State != rivertype.JobStateCompleted || row.Attempt != 1 || len(row.Errors) != 0 {
			t.Errorf("the job is %+v", row)
		}
		if c := a.tasks.Stats().ByName["job"]; c.Completed != 2 || c.Failed != 0 {
			t.Errorf("the tasks are %+v, want 2 completed", c)
		}
	})
}

func TestAPanicReachesRiverWithItsOwnStack(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		a := start(t, s, quick("a"), riveradapter.WorkFunc(func(context.Context, *river.Job[Job]) error {
			panicInAFunctionOfItsOwn()
			return nil
		}))
		id := a.insert(Job{}, &river.InsertOpts{MaxAttempts: 1})
		row := a.ended(id)
		if row.State != rivertype.JobStateDiscarded || len(row.Errors) != 1 || row.Errors[0].Error != "broken" {
			t.Fatalf("the job is %+v", row)
		}
		if !strings.Contains(row.Errors[0].Trace, "panicInAFunctionOfItsOwn") {
			t.Errorf("the stack is %s", row.Errors[0].Trace)
		}
		job := a.job(id)
		if job.Info.Status != fxtasks.Failed || !strings.Contains(job.Info.ErrText, "broken") || len(job.Failures) != 1 || job.Failures[0].Stack == "" {
			t.Errorf("the job is %+v", job)
		}
	})
}

//go:noinline
func panicInAFunctionOfItsOwn() { panic("broken") }

func TestAFailureIsRetried(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		a := start(t, s, quick("a"), riveradapter.WorkFunc(func(_ context.Context, job *river.Job[Job]) error {
			if job.Attempt < 3 {
				return errors.New("not yet")
			}
			return nil
		}))
		id := a.insert(Job{}, nil)
		if row := a.ended(id); row.State != rivertype.JobStateCompleted || row.Attempt != 3 || len(row.Errors) != 2 || row.Errors[0].Error != "not yet" {
			t.Errorf("the job is %+v", row)
		}
		lines := a.logs.FilterMessage("attempt failed and is retried").FilterField(zap.String("job_id", name(id))).All()
		if len(lines) != 2 || lines[0].Level != zap.WarnLevel {
			t.Errorf("the lines about it are %v, want two warnings", lines)
		}
	})
}

func TestWhatCannotBeStoredHoldsUpNoOtherJob(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		release := make(chan struct{})
		a := start(t, s, quick("a"), riveradapter.WorkFunc(func(ctx context.Context, job *river.Job[Job]) error {
			<-release
			switch job.Args.Text {
			case "error":
				return errors.New("a\x00b")
			case "panic":
				panic(errors.New("a\x00b"))
			case "output":
				return river.RecordOutput(ctx, map[string]string{"k": "a\x00b\\u0000"})
			case "half":
				return river.RecordOutput(ctx, json.RawMessage(`{"k":"a\ud83d"}`)) // as others write it
			case "no JSON":
				return river.MetadataSet(ctx, "k", func() {})
			}
			return nil
		}))
		one := &river.InsertOpts{MaxAttempts: 1}
		failed, panicked, output := a.insert(Job{"error"}, one), a.insert(Job{"panic"}, one), a.insert(Job{"output"}, one)
		half, noJSON := a.insert(Job{"half"}, one), a.insert(Job{"no JSON"}, one)
		var others []int64
		for range 20 {
			others = append(others, a.insert(Job{"fine"}, one))
		}
		await(t, "all run", func() bool { return a.tasks.Stats().Running == 25 })
		close(release)
		for _, id := range others {
			if row := a.ended(id); row.State != rivertype.JobStateCompleted {
				t.Errorf("a job is %+v", row)
			}
		}
		for _, id := range []int64{failed, panicked} {
			if row := a.ended(id); len(row.Errors) != 1 || row.Errors[0].Error != "a\uFFFDb" {
				t.Errorf("the job that failed is %+v", row)
			}
		}
		for id, want := range map[int64]string{output: "a\uFFFDb\\u0000", half: "a\uFFFD"} {
			var recorded map[string]string
			row := a.ended(id)
			if err := json.Unmarshal(row.Output(), &recorded); err != nil || recorded["k"] != want {
				t.Errorf("the job with an output is %s, its output %s", row.State, row.Output())
			}
		}
		if row := a.ended(noJSON); row.State != rivertype.JobStateCompleted {
			t.Errorf("the job with metadata that is no JSON is %s", row.State)
		}
	})
}

func TestNULInArgsIsRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		a := start(t, s, quick("a"), riveradapter.WorkFunc(func(context.Context, *river.Job[Job]) error { return nil }))
		if _, err := a.client.Insert(t.Context(), Job{"a\x00b"}, nil); !errors.Is(err, fxtasks.ErrInvalid) || !strings.Contains(err.Error(), `"job"`) {
			t.Errorf("Insert gives %v", err)
		}
		_, err := a.client.InsertMany(t.Context(), []river.InsertManyParams{{Args: Job{"fine"}}, {Args: Job{"a\x00b"}}})
		if !errors.Is(err, fxtasks.ErrInvalid) {
			t.Errorf("InsertMany gives %v", err)
		}
	})
}

func TestTheTimeoutIsRivers(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		cfg := quick("a")
		configure := cfg.Configure
		cfg.Configure = func(c *river.Config) {
			configure(c)
			c.JobTimeout = 300 * time.Millisecond
		}
		a := start(t, s, cfg, fx.Supply(fxtasks.Config{TaskTimeout: time.Millisecond}),
			riveradapter.WorkFunc(func(ctx context.Context, job *river.Job[Job]) error {
				deadline, _ := ctx.Deadline()
				if left := time.Until(deadline); left < 100*time.Millisecond {
					return river.JobCancel(errors.New("the task's timeout applies"))
				}
				<-ctx.Done()
				return ctx.Err()
			}))
		id := a.insert(Job{}, &river.InsertOpts{MaxAttempts: 1})
		row := a.ended(id)
		if row.State != rivertype.JobStateDiscarded || row.Errors[0].Error != context.DeadlineExceeded.Error() {
			t.Errorf("the job is %+v", row)
		}
		if job := a.job(id); job.Info.Status != fxtasks.Failed {
			t.Errorf("the job is %v, want failed", job.Info.Status)
		}
	})
}

func TestAQueueThatIsAddedLater(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		groups := make(chan string, 1)
		work := riveradapter.WorkFunc(func(ctx context.Context, _ *river.Job[Job]) error {
			task, _ := fxtasks.FromContext(ctx)
			groups <- task.Info().Group
			return nil
		})
		var add func(queue string) error
		bundle := fx.Invoke(func(c *river.Client[pgx.Tx]) {
			add = func(queue string) error { return c.Queues().Add(queue, river.QueueConfig{MaxWorkers: 1}) }
		})
		if s.isSQLite() {
			bundle = fx.Invoke(func(c *river.Client[*sql.Tx]) {
				add = func(queue string) error { return c.Queues().Add(queue, river.QueueConfig{MaxWorkers: 1}) }
			})
		}
		a := start(t, s, quick("a"), work, bundle)
		if err := add("late"); err != nil {
			t.Fatal(err)
		}
		a.insert(Job{}, &river.InsertOpts{Queue: "late"})
		if group := receive(t, groups); group != "jobs/late" {
			t.Errorf("the group is %q", group)
		}
	})
}
