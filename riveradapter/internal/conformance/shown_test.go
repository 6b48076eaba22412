package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"go.uber.org/fx"

	background "github.com/fxtasks/background"
	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/httpapi"
	"github.com/fxtasks/background/riveradapter"
)

// insertOnly is a replica that runs nothing.
func insertOnly(t *testing.T, s *store) *app {
	cfg := quick("looker")
	cfg.Queues = map[string]river.QueueConfig{}
	return start(t, s, cfg)
}

func TestProgressIsSeenFromEveryReplica(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		next := make(chan struct{})
		start(t, s, quick("a"), riveradapter.WorkFunc(func(ctx context.Context, job *river.Job[Job]) error {
			if job.Attempt == 1 {
				fxtasks.ReportProgress(ctx, fxtasks.Progress{Current: 3, Total: 10, Unit: "steps", Message: "a\x00b\xff"})
				<-next
				return errors.New("again")
			}
			<-next
			fxtasks.ReportProgress(ctx, fxtasks.Progress{Current: 10, Total: 10})
			return nil
		}))
		b := insertOnly(t, s)
		id := b.insert(Job{}, nil)
		await(t, "progress", func() bool { return b.job(id).Info.Progress.Current == 3 })
		if p := b.job(id).Info.Progress; p.Total != 10 || p.Unit != "steps" || p.Message != "a\uFFFDb\uFFFD" || time.Since(p.UpdatedAt) > time.Minute {
			t.Errorf("the progress is %+v", p)
		}
		next <- struct{}{}
		await(t, "the second attempt", func() bool { return b.row(id).Attempt == 2 })
		if p := b.job(id).Info.Progress; p != (fxtasks.Progress{}) {
			t.Errorf("the second attempt begins with %+v", p)
		}
		if job := b.job(id); job.Info.ErrText != "again" || job.Info.LastErr == nil || job.Info.Err != nil || job.Instance != "a" || len(job.Failures) != 1 {
			t.Errorf("the job is %+v", job)
		}
		next <- struct{}{}
		b.ended(id)
		await(t, "the last report", func() bool { return b.job(id).Info.Progress.Current == 10 })
	})
}

func TestJobsAreListedInPages(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		b := insertOnly(t, s)
		var ids []string
		for i := range 25 {
			opts := &river.InsertOpts{Queue: []string{"even", "odd"}[i%2]}
			if i >= 20 {
				opts.ScheduledAt = time.Now().Add(time.Hour)
			}
			ids = append(ids, name(b.insert(Job{}, opts)))
		}
		slices.Reverse(ids)
		if _, err := b.jobs.Cancel(t.Context(), ids[0], "", ""); err != nil {
			t.Fatal(err)
		}
		if got := allPages(t, b, httpapi.JobFilter{Limit: 10}); !slices.Equal(got, ids) {
			t.Errorf("the list is %v, want %v", got, ids)
		}
		if got := allPages(t, b, httpapi.JobFilter{Limit: 5, Queues: []string{"odd"}, Kinds: []string{"job"}}); len(got) != 12 {
			t.Errorf("of the queue odd there are %v", got)
		}
		for status, want := range map[fxtasks.Status]int{fxtasks.Pending: 24, fxtasks.Cancelled: 1, fxtasks.Running: 0, fxtasks.TimedOut: 0} {
			if got := allPages(t, b, httpapi.JobFilter{Limit: 25, Statuses: []fxtasks.Status{status}}); len(got) != want {
				t.Errorf("%v are %v, want %d", status, got, want)
			}
		}
		if _, err := b.jobs.List(t.Context(), httpapi.JobFilter{After: "x"}); !errors.Is(err, fxtasks.ErrInvalid) {
			t.Errorf("a malformed After gives %v", err)
		}
		counts, err := b.jobs.Counts(t.Context())
		if err != nil || counts[fxtasks.Pending] != 24 || counts[fxtasks.Cancelled] != 1 {
			t.Errorf("the counts are %v, %v", counts, err)
		}
		counts[fxtasks.Pending] = 0 // a copy
		if counts, _ = b.jobs.Counts(t.Context()); counts[fxtasks.Pending] != 24 {
			t.Errorf("the counts are %v", counts)
		}
	})
}

func allPages(t *testing.T, a *app, f httpapi.JobFilter) (ids []string) {
	t.Helper()
	for {
		page, err := a.jobs.List(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, job := range page.Jobs {
			ids = append(ids, job.Info.ID)
		}
		if page.Next == "" {
			return ids
		}
		f.After = page.Next
	}
}

func TestArgsOutputAndMetadataAreShown(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		a := start(t, s, quick("a"), riveradapter.WorkFunc(func(ctx context.Context, _ *river.Job[Job]) error {
			return river.RecordOutput(ctx, 42)
		}))
		id := a.insert(Job{"x"}, &river.InsertOpts{Metadata: []byte(`{"customer":"c1","n":3,"deep":{"a":1},"none":null}`)})
		a.ended(id)
		job := a.job(id)
		var args Job
		if err := json.Unmarshal(job.Args, &args); err != nil || args.Text != "x" || string(job.Output) != "42" {
			t.Errorf("args %s, output %s", job.Args, job.Output)
		}
		if m := job.Info.Metadata; len(m) != 2 || m["customer"] != "c1" || m["n"] != "3" {
			t.Errorf("the metadata is %v", m)
		}
	})
}

type traceKey struct{}

// tracer carries one word, as a tracing library would.
type tracer struct{}

func (tracer) Inject(ctx context.Context) map[string]string {
	if word, ok := ctx.Value(traceKey{}).(string); ok {
		return map[string]string{"trace": word}
	}
	return nil
}

func (tracer) Extract(ctx context.Context, carried map[string]string) context.Context {
	return context.WithValue(ctx, traceKey{}, carried["trace"])
}

func TestAPropagatorReachesTheAttempt(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		words := make(chan string, 2)
		propagator := fx.Provide(func() background.Propagator { return tracer{} })
		seen := func(next fxtasks.Func) fxtasks.Func { // before the attempt: a middleware of the tasks sees it too
			return func(ctx context.Context) error {
				words <- fmt.Sprint(ctx.Value(traceKey{}))
				return next(ctx)
			}
		}
		start(t, s, quick("a"), propagator, fx.Supply([]fxtasks.Middleware{seen}), nothing())
		cfg := quick("b")
		cfg.Queues = map[string]river.QueueConfig{}
		b := start(t, s, cfg, propagator)
		ctx := context.WithValue(t.Context(), traceKey{}, "abc")
		if _, err := b.client.Insert(ctx, Job{}, &river.InsertOpts{Metadata: []byte(`{"k":"v"}`)}); err != nil {
			t.Fatal(err)
		}
		if word := receive(t, words); word != "abc" {
			t.Errorf("the attempt has %q", word)
		}
	})
}

func TestWaitEndsWithItsContext(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store) {
		b := insertOnly(t, s)
		id := b.insert(Job{}, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := riveradapter.Wait(ctx, b.client, id); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Wait gives %v", err)
		}
		if row := b.row(id); row.State != rivertype.JobStateAvailable {
			t.Errorf("the job is %s", row.State)
		}
	})
}
