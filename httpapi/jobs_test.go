package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
	"github.com/fxtasks/background/httpapi"
)

// fakeJobs are durable jobs in memory. It remembers what it was asked.
type fakeJobs struct {
	mu     sync.Mutex // protects what follows
	jobs   []httpapi.Job
	err    error // what everything gives, if it is set
	filter httpapi.JobFilter
	calls  []string
}

func (f *fakeJobs) set(jobs []httpapi.Job, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.jobs, f.err = jobs, err
}

func (f *fakeJobs) Job(_ context.Context, id string) (httpapi.Job, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return httpapi.Job{}, f.err
	}
	for _, job := range f.jobs {
		if job.Info.ID == id {
			return job, nil
		}
	}
	return httpapi.Job{}, fmt.Errorf("job %q: %w", id, fxtasks.ErrNotFound)
}

func (f *fakeJobs) List(_ context.Context, filter httpapi.JobFilter) (httpapi.JobPage, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.filter = filter
	return httpapi.JobPage{Jobs: f.jobs, Next: "more"}, f.err
}

func (f *fakeJobs) Counts(context.Context) (map[fxtasks.Status]int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return map[fxtasks.Status]int{fxtasks.Running: 7}, f.err
}

func (f *fakeJobs) Cancel(ctx context.Context, id, by, reason string) (httpapi.Job, error) {
	job, err := f.Job(ctx, id)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, fmt.Sprintf("cancel %s by %q because %q", id, by, reason))
	if err == nil && job.Info.Status.Finished() {
		return job, fxtasks.ErrFinished
	}
	job.Info.CancelRequestedAt, job.Info.CancelCause = time.Now(), httpapi.NewCancellation(by, reason)
	return job, err
}

func (f *fakeJobs) Retry(ctx context.Context, id string) (httpapi.Job, error) {
	job, err := f.Job(ctx, id)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, "retry "+id)
	if err == nil && job.Info.Status == fxtasks.Running {
		return job, fxtasks.ErrStillRunning
	}
	return job, err
}

// called gives what was changed since the last call.
func (f *fakeJobs) called() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer func() { f.calls = nil }()
	return f.calls
}

func runningJob(id string) httpapi.Job {
	now := time.Now()
	return httpapi.Job{Info: fxtasks.Info{ID: id, Name: "render", Group: "jobs/slow", Status: fxtasks.Running, CreatedAt: now, StartedAt: now},
		Args: json.RawMessage(`{"page":7}`), Instance: "host-1"}
}

func failedJob(id, message string) httpapi.Job {
	job := runningJob(id)
	job.Info.Status, job.Info.Err, job.Info.FinishedAt = fxtasks.Failed, errors.New(message), time.Now()
	job.Output = json.RawMessage(`[1]`)
	job.Failures = []httpapi.JobFailure{{At: time.Now(), Attempt: 1, Error: message, Stack: "main.go:7"}}
	return job
}

// job is a task and more.
type job struct {
	task
	Queue, Instance string
	Args, Output    json.RawMessage
	Failures        []struct {
		At      string
		Attempt int
		Error   string
		Stack   string
	}
}

func (a answer) job() job {
	a.t.Helper()
	var body job
	a.decode(&body)
	return body
}

func withJobs(f httpapi.Jobs) httpapi.Config {
	return httpapi.Config{AllowUnauthenticated: true, Jobs: f, Caller: func(r *http.Request) string { return r.Header.Get("X-User") }}
}

func TestJobs(t *testing.T) {
	f := &fakeJobs{jobs: []httpapi.Job{failedJob("1/a", "no paper"), runningJob("2")}}
	c := serve(t, newAPI(t, fxtaskstest.New(t), withJobs(f)))

	got := c.get("/jobs/1%2Fa").want(http.StatusOK).job()
	if got.Queue != "slow" || got.Instance != "host-1" || string(got.Args) != `{"page":7}` || string(got.Output) != "[1]" || got.Links.Self != mount+"/jobs/1%2Fa" ||
		len(got.Failures) != 1 || got.Failures[0].Stack == "" || got.Failures[0].Attempt != 1 || got.Error.Message != "no paper" || !got.Done {
		t.Errorf("the job is %+v", got)
	}
	etag := c.get("/jobs/2").wantHeader("Retry-After", "1").header.Get("ETag")
	c.get("/jobs/2", "If-None-Match: "+etag).want(http.StatusNotModified)
	c.get("/jobs/3").wantProblem(http.StatusNotFound)

	var list struct {
		Jobs          []job
		NextPageToken string `json:"next_page_token"`
		Counts        map[string]int
	}
	c.get("/jobs?status=failed&status=running&kind=a&kind=b&queue=slow&page_size=5000&page_token=x").want(http.StatusOK).decode(&list)
	if want := (httpapi.JobFilter{Statuses: []fxtasks.Status{fxtasks.Failed, fxtasks.Running}, Kinds: []string{"a", "b"}, Queues: []string{"slow"},
		Limit: 1000, After: "x"}); !reflect.DeepEqual(f.filter, want) {
		t.Errorf("the filter is %+v", f.filter)
	}
	if len(list.Jobs) != 2 || list.NextPageToken != "more" || list.Counts["running"] != 7 || len(list.Counts) != 6 ||
		list.Jobs[0].Args != nil || list.Jobs[0].Output != nil || list.Jobs[0].Failures[0].Stack != "" {
		t.Errorf("the list is %+v", list)
	}
	for _, query := range []string{"page_size=0", "status=lost", "name=x", "page_token=a&page_token=b"} {
		c.get("/jobs?" + query).wantProblem(http.StatusBadRequest)
	}
	c.do("POST", "/jobs/2", "").wantHeader("Allow", "DELETE, GET, HEAD").wantProblem(http.StatusMethodNotAllowed)
	c.get("/jobs/2/retry").wantHeader("Allow", "POST").wantProblem(http.StatusMethodNotAllowed)
}

func TestWithoutJobsThereAreNone(t *testing.T) {
	m := fxtaskstest.New(t)
	api := newAPI(t, m, open)
	c := serve(t, api)
	for _, request := range []string{"GET /jobs", "GET /jobs/1", "DELETE /jobs/1", "POST /jobs/1/retry"} {
		method, path, _ := strings.Cut(request, " ")
		c.do(method, path, "").wantProblem(http.StatusNotFound)
	}
	if err := api.AcceptedJob(httptest.NewRecorder(), newRequest("POST", "/", ""), mount, "1"); err == nil || !strings.Contains(err.Error(), "Jobs") {
		t.Errorf("the error is %v", err)
	}
}

func TestCancelAndRetryOfJobs(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	f := &fakeJobs{jobs: []httpapi.Job{failedJob("1", "no paper"), runningJob("2")}}
	cfg := withJobs(f)
	cfg.Logger = zap.New(core)
	c := serve(t, newAPI(t, fxtaskstest.New(t), cfg))
	for _, test := range []struct {
		request, body string
		status        int
		call          string
	}{
		{"DELETE /jobs/2", `{"reason": "x"}`, http.StatusAccepted, `cancel 2 by "ann" because "x"`},
		{"DELETE /jobs/1", "", http.StatusOK, `cancel 1 by "ann" because ""`},
		{"POST /jobs/1/retry", "", http.StatusAccepted, "retry 1"},
	} {
		method, path, _ := strings.Cut(test.request, " ")
		got := c.do(method, path, test.body, "X-User: ann").want(test.status)
		if calls := f.called(); !slices.Equal(calls, []string{test.call}) {
			t.Errorf("%s called %q, want %q", test.request, calls, test.call)
		}
		if lines := logs.TakeAll(); len(lines) != 1 || lines[0].ContextMap()["caller"] != "ann" || lines[0].ContextMap()["job_id"] != got.job().ID {
			t.Errorf("%s logged %+v", test.request, lines)
		}
		if test.status == http.StatusAccepted && method == "DELETE" && (got.job().Cancel.By != "ann" || got.job().Cancel.Reason != "x") {
			t.Errorf("the job is %s", got.body)
		}
	}
	c.do("POST", "/jobs/2/retry", "").wantProblem(http.StatusConflict)
	c.do("POST", "/jobs/3/retry", "").wantProblem(http.StatusNotFound)
}

func TestRefusedChangesOfJobs(t *testing.T) {
	f := &fakeJobs{jobs: []httpapi.Job{failedJob("1", "no paper"), runningJob("2")}}
	refuse := func(denied ...httpapi.Action) httpapi.Config {
		return httpapi.Config{Jobs: f, Authorize: func(_ *http.Request, a httpapi.Action, _ *fxtasks.Info) error {
			if slices.Contains(denied, a) {
				return errDenied
			}
			return nil
		}}
	}
	readOnly := withJobs(f)
	readOnly.ReadOnly = true
	for name, test := range map[string]struct {
		cfg           httpapi.Config
		cancel, retry int
	}{
		"read-only":      {readOnly, http.StatusForbidden, http.StatusForbidden},
		"may not view":   {refuse(httpapi.ActionView), http.StatusNotFound, http.StatusNotFound},
		"may do nothing": {refuse(httpapi.ActionCancel, httpapi.ActionRun), http.StatusForbidden, http.StatusForbidden},
	} {
		c := serve(t, newAPI(t, fxtaskstest.New(t), test.cfg))
		c.do("DELETE", "/jobs/2", "").wantProblem(test.cancel)
		c.do("POST", "/jobs/1/retry", "").wantProblem(test.retry)
		if calls := f.called(); len(calls) > 0 {
			t.Errorf("%s: %q", name, calls)
		}
	}
	c := serve(t, newAPI(t, fxtaskstest.New(t), refuse(httpapi.ActionViewResult, httpapi.ActionViewStack)))
	if got := c.get("/jobs/1").want(http.StatusOK).job(); got.Args != nil || got.Output != nil || got.Failures[0].Stack != "" {
		t.Errorf("the job shows what the caller may not see: %+v", got)
	}
}

func TestJobsThatCannotBeReached(t *testing.T) {
	f := &fakeJobs{err: errors.New("the internal reason")}
	c := serve(t, newAPI(t, fxtaskstest.New(t), withJobs(f)))
	for _, request := range []string{"GET /jobs", "GET /jobs/1", "DELETE /jobs/1", "POST /jobs/1/retry"} {
		method, path, _ := strings.Cut(request, " ")
		if p := c.do(method, path, "").wantProblem(http.StatusInternalServerError); strings.Contains(p.Detail, "internal") {
			t.Errorf("%s tells %q", request, p.Detail)
		}
	}
	f.set(nil, context.DeadlineExceeded)
	c.get("/jobs").wantHeader("Retry-After", "1").wantProblem(http.StatusServiceUnavailable)
}

func TestJobListsLeaveOutWhatIsLarge_bullboard808(t *testing.T) {
	f := &fakeJobs{}
	for range 100 {
		f.jobs = append(f.jobs, failedJob("1", strings.Repeat("x", 64<<10)))
	}
	c := serve(t, newAPI(t, fxtaskstest.New(t), withJobs(f)))
	if n := len(c.get("/jobs").want(http.StatusOK).body); n > 200<<10 {
		t.Errorf("the list has %d bytes", n)
	}
}

func TestAcceptedJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeJobs{jobs: []httpapi.Job{runningJob("7")}}
		api := newAPI(t, fxtaskstest.New(t), withJobs(f))
		ask := func(headers ...string) answer {
			t.Helper()
			w := httptest.NewRecorder()
			if err := api.AcceptedJob(w, newRequest("POST", "/reports", "", headers...), "/ops", "7"); err != nil {
				t.Fatal(err)
			}
			return answer{t, "POST", w.Code, w.Header(), w.Body.Bytes()}
		}
		ask().want(http.StatusAccepted).wantHeader("Location", "/ops/jobs/7").wantHeader("Retry-After", "1")
		begin := time.Now()
		ask("Prefer: wait=2").want(http.StatusAccepted).wantHeader("Preference-Applied", "")
		if took := time.Since(begin); took != 2*time.Second {
			t.Errorf("it waited %v", took)
		}
		go func() {
			time.Sleep(time.Second)
			f.set(nil, errors.New("no connection")) // for a moment
			time.Sleep(time.Second)
			f.set([]httpapi.Job{failedJob("7", "no paper")}, nil)
		}()
		begin = time.Now()
		got := ask("Prefer: wait=20").want(http.StatusOK).wantHeader("Preference-Applied", "wait=20").job()
		if took := time.Since(begin); !got.Done || took < 2*time.Second || took > 3*time.Second {
			t.Errorf("after %v the job is %+v", took, got)
		}
		f.set(nil, nil)
		if err := api.AcceptedJob(httptest.NewRecorder(), newRequest("POST", "/", ""), mount, "7"); !errors.Is(err, fxtasks.ErrNotFound) {
			t.Errorf("the error is %v", err)
		}
	})
}
