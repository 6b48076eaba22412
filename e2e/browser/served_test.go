package browser_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/httpapi"
)

// served is a dashboard of this process, for what the quickstart does not do.
type served struct {
	*fxtasks.Manager
	t     *testing.T
	bytes *counter // of all answers but the stream's
	url   string
}

// serve serves the dashboard of a new manager. Requests go through front, if there is one.
func serve(t *testing.T, config fxtasks.Config, api httpapi.Config, front func(http.Handler) http.Handler) *served {
	t.Helper()
	m, err := fxtasks.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := m.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if api.Authorize == nil {
		api.AllowUnauthenticated = true
	}
	handler, err := httpapi.New(m, api)
	if err != nil {
		t.Fatal(err)
	}
	s := &served{Manager: m, t: t, bytes: new(counter)}
	mux := http.NewServeMux()
	mux.Handle("/background/", http.StripPrefix("/background", s.bytes.of(handler)))
	var h http.Handler = mux
	if front != nil {
		h = front(mux)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	t.Cleanup(handler.CloseStreams) // before that: Close waits for them
	s.url = server.URL + "/background/"
	return s
}

func (s *served) submit(name string, fn fxtasks.Func, options ...fxtasks.TaskOption) *fxtasks.Task {
	s.t.Helper()
	task, err := s.Submit(context.Background(), name, fn, options...)
	if err != nil {
		s.t.Fatal(err)
	}
	return task
}

// fail submits a task that fails at once, and waits until it has.
func (s *served) fail(name, message string) {
	s.t.Helper()
	task := s.submit(name, func(context.Context) error { return errors.New(message) })
	<-task.Done()
}

// runs is a task's function that runs until it is cancelled.
func runs(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// counter counts the bytes of answers.
type counter struct {
	mu    sync.Mutex // protects bytes
	bytes int
}

func (c *counter) of(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(&countingWriter{w, c}, r)
	})
}

func (c *counter) sum() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes
}

type countingWriter struct {
	http.ResponseWriter
	counter *counter
}

func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *countingWriter) Write(data []byte) (int, error) {
	w.counter.mu.Lock()
	w.counter.bytes += len(data)
	w.counter.mu.Unlock()
	return w.ResponseWriter.Write(data)
}

// fakeJobs are durable jobs in memory.
type fakeJobs struct {
	mu   sync.Mutex // protects jobs
	jobs []httpapi.Job
}

func newFakeJobs(now time.Time) *fakeJobs {
	info := func(id, kind string, status fxtasks.Status, attempt int) fxtasks.Info {
		i := fxtasks.Info{ID: id, Name: kind, Group: "jobs/default", Status: status, CreatedAt: now.Add(-time.Minute), Attempt: attempt, MaxAttempts: 5}
		if attempt > 0 {
			i.StartedAt = now.Add(-30 * time.Second)
		}
		return i
	}
	failed := info("103", "send-receipt", fxtasks.Failed, 5)
	failed.Err, failed.FinishedAt = errors.New("smtp: 550 mailbox unavailable"), now.Add(-10*time.Second)
	running := info("104", "render-report", fxtasks.Running, 1)
	running.Progress = fxtasks.Progress{Current: 40, Total: 100, Unit: "pages", UpdatedAt: now}
	return &fakeJobs{jobs: []httpapi.Job{
		{Info: running, Instance: "worker-7", Args: json.RawMessage(`{"report":9007199254740993}`)},
		{Info: failed, Instance: "worker-2", Args: json.RawMessage(`{"to":"ada@example.com"}`), Failures: []httpapi.JobFailure{
			{At: now.Add(-20 * time.Second), Attempt: 4, Error: "smtp: 421 try again later"}, {At: now.Add(-10 * time.Second), Attempt: 5, Error: "smtp: 550 mailbox unavailable"}}},
	}}
}

func (f *fakeJobs) change(id string, change func(*httpapi.Job) error) (httpapi.Job, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.jobs, func(job httpapi.Job) bool { return job.Info.ID == id })
	if i < 0 {
		return httpapi.Job{}, fmt.Errorf("job %q: %w", id, fxtasks.ErrNotFound)
	}
	err := change(&f.jobs[i])
	return f.jobs[i], err
}

func (f *fakeJobs) Job(_ context.Context, id string) (httpapi.Job, error) {
	return f.change(id, func(*httpapi.Job) error { return nil })
}

func (f *fakeJobs) List(_ context.Context, filter httpapi.JobFilter) (page httpapi.JobPage, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, job := range f.jobs {
		if len(filter.Statuses) == 0 || slices.Contains(filter.Statuses, job.Info.Status) {
			page.Jobs = append(page.Jobs, job)
		}
	}
	return page, nil
}

func (f *fakeJobs) Counts(context.Context) (map[fxtasks.Status]int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	counts := make(map[fxtasks.Status]int)
	for _, job := range f.jobs {
		counts[job.Info.Status]++
	}
	return counts, nil
}

func (f *fakeJobs) Cancel(_ context.Context, id, by, reason string) (httpapi.Job, error) {
	return f.change(id, func(job *httpapi.Job) error {
		job.Info.CancelRequestedAt, job.Info.CancelCause = time.Now(), httpapi.NewCancellation(by, reason)
		return nil
	})
}

func (f *fakeJobs) Retry(_ context.Context, id string) (httpapi.Job, error) {
	return f.change(id, func(job *httpapi.Job) error {
		job.Info.Status, job.Info.Err, job.Info.FinishedAt = fxtasks.Pending, nil, time.Time{}
		job.Info.MaxAttempts = cmp.Or(job.Info.MaxAttempts, 1)
		return nil
	})
}
