package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
	"github.com/fxtasks/background/httpapi"
)

// post lets the API answer a request that has started task.
func post(t testing.TB, api *httpapi.API, task *fxtasks.Task, headers ...string) answer {
	w := httptest.NewRecorder()
	api.Accepted(w, newRequest("POST", "/reports", "", headers...), "/ops/background", task)
	return answer{t, fmt.Sprint("POST ", headers), w.Code, w.Header(), w.Body.Bytes()}
}

func TestAccepted(t *testing.T) {
	m := fxtaskstest.New(t)
	api := newAPI(t, m, open)
	for _, fn := range []fxtasks.Func{untilCancelled, nothing} {
		task := submit(t, m, "work", fn, fxtasks.WithID("a/b c"))
		got := post(t, api, task).want(http.StatusAccepted).
			wantHeader("Location", "/ops/background/tasks/a%2Fb%20c").
			wantHeader("Retry-After", "1").
			wantHeader("Preference-Applied", "").
			wantHeader("Cache-Control", "no-store").task()
		if got.ID != "a/b c" || got.Links.Self != "/ops/background/tasks/a%2Fb%20c" {
			t.Errorf("the task is %+v", got)
		}
		task.Cancel(nil)
		finished(t, task)
	}
}

func TestPreferWait(t *testing.T) {
	for prefer, wait := range map[string]time.Duration{ // negative: none is asked for
		"wait=2":                          2 * time.Second,
		"wait=0":                          0,
		"wait=007":                        7 * time.Second,
		`wait="2"`:                        2 * time.Second,
		"Wait=2":                          2 * time.Second,
		"WAIT = 2":                        2 * time.Second,
		"respond-async, wait=2":           2 * time.Second,
		"respond-async,wait=2,priority=5": 2 * time.Second,
		"wait=2; x=y":                     2 * time.Second,
		`return=minimal; foo="some, wait"; bar, wait=2`: 2 * time.Second,
		`note="a, wait=9", wait=2`:                      2 * time.Second,
		"wait=2, wait=9":                                2 * time.Second,
		"wait=30":                                       30 * time.Second,
		"wait=31":                                       30 * time.Second,
		"wait=86400":                                    30 * time.Second,
		"wait=4294967296":                               30 * time.Second,
		"wait=99999999999999999999999":                  30 * time.Second,
		"wait":                                          -1,
		"wait=":                                         -1,
		"wait=-1":                                       -1,
		"wait=+1":                                       -1,
		"wait=1.5":                                      -1,
		"wait=2s":                                       -1,
		"wait=soon":                                     -1,
		"waiting=2":                                     -1,
		"respond-async":                                 -1,
		"":                                              -1,
		`note="a, wait=9"`:                              -1,
	} {
		t.Run(prefer, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := fxtaskstest.New(t)
				api := newAPI(t, m, open)
				begin := time.Now()
				a := post(t, api, submit(t, m, "work", untilCancelled), "Prefer: "+prefer).want(http.StatusAccepted).
					wantHeader("Preference-Applied", "").wantHeader("Retry-After", "1")
				if took := time.Since(begin); took != max(wait, 0) {
					t.Errorf("it waited %v, want %v", took, wait)
				}
				if a.task().Done {
					t.Errorf("the task is %s", a.body)
				}
				if wait <= 0 {
					return
				}
				ends := wait - 1
				a = post(t, api, submit(t, m, "work", func(ctx context.Context) error {
					select {
					case <-time.After(ends):
						return errors.New("no paper")
					case <-ctx.Done():
						return context.Cause(ctx)
					}
				}), "Prefer: "+prefer)
				got := a.want(http.StatusOK).wantHeader("Preference-Applied", fmt.Sprintf("wait=%d", int(wait.Seconds()))).
					wantHeader("Retry-After", "").task()
				if !got.Done || got.Status != "failed" || got.Error.Message != "no paper" || !strings.HasPrefix(a.header.Get("Location"), "/ops/background/tasks/") {
					t.Errorf("the task is %s, at %q", a.body, a.header.Get("Location"))
				}
			})
		})
	}
}

func TestPreferWaitInSeveralHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.New(t)
		task := submit(t, m, "work", func(context.Context) error { time.Sleep(time.Second); return nil })
		post(t, newAPI(t, m, open), task, "Prefer: respond-async", "Prefer: wait=5").want(http.StatusOK).wantHeader("Preference-Applied", "wait=5")
	})
}

func TestPreferWaitEndsWithTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.New(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		task := submit(t, m, "work", untilCancelled)
		newAPI(t, m, open).Accepted(httptest.NewRecorder(), newRequest("POST", "/", "", "Prefer: wait=20").WithContext(ctx), mount, task)
		if took := time.Since(begin); took != time.Second || task.Status() != fxtasks.Running {
			t.Errorf("it waited %v for a client that had gone, and the task is %v", took, task.Status())
		}
	})
}

// once submits work with an Idempotency-Key, and gives its task.
func once(t testing.TB, api *httpapi.API, s fxtasks.Submitter, caller, name, key string, fn fxtasks.Func) (*fxtasks.Task, error) {
	return api.Submit(newRequest("POST", "/reports", "", "Idempotency-Key: "+key), caller, s, name, fn)
}

func TestIdempotencyKey(t *testing.T) {
	m := fxtaskstest.New(t)
	api := newAPI(t, m, open)
	runs := make(chan string, 100)
	submitted := func(caller, name, key string) *fxtasks.Task {
		t.Helper()
		task, err := once(t, api, m, caller, name, key, func(context.Context) error { runs <- name; return nil })
		if err != nil {
			t.Fatal(err)
		}
		return finished(t, task)
	}
	first := submitted("ann", "report", "k")
	if again := submitted("ann", "report", "k"); again.ID() != first.ID() {
		t.Errorf("the repeated request got the task %v, not %v", again, first)
	}
	known := map[string]bool{first.ID(): true}
	for _, other := range [][3]string{{"bob", "report", "k"}, {"ann", "import", "k"}, {"ann", "report", "K"}, {"ann", "report", "k k"},
		{"annr", "eport", "k"}, {"", "annreport", "k"}, {"ann", "report", strings.Repeat("k", 255)}, {"ann", "report", ""}, {"ann", "report", ""}} {
		id := submitted(other[0], other[1], other[2]).ID()
		if known[id] {
			t.Errorf("%q got a task that was another's", other)
		}
		known[id] = true
		if key := other[2]; key != "" && strings.Contains(id, key) && len(key) > 1 {
			t.Errorf("the ID %q tells the key", id)
		}
	}
	if len(runs) != len(known) {
		t.Errorf("%d runs of %d tasks", len(runs), len(known))
	}
}

func TestIdempotencyKeysThatAreTooLong(t *testing.T) {
	m := fxtaskstest.New(t)
	_, err := once(t, newAPI(t, m, open), m, "ann", "report", strings.Repeat("k", 256), nothing)
	if !errors.Is(err, fxtasks.ErrInvalid) || httpapi.RefusalOf(err).Status != http.StatusBadRequest {
		t.Errorf("a long key: %v", err)
	}
	if n := m.Stats().Submitted; n != 0 {
		t.Errorf("%d tasks were submitted", n)
	}
}

func TestARefusedSubmitIsNotRemembered(t *testing.T) {
	m := fxtaskstest.NewWithConfig(t, fxtasks.Config{MaxRunning: 1, MaxPending: -1})
	api := newAPI(t, m, open)
	blocker := submit(t, m, "work", untilCancelled)
	if _, err := once(t, api, m, "ann", "report", "k", nothing); !errors.Is(err, fxtasks.ErrQueueFull) {
		t.Fatalf("with a full queue: %v", err)
	}
	blocker.Cancel(nil)
	finished(t, blocker)
	task, err := once(t, api, m, "ann", "report", "k", nothing)
	if err != nil || finished(t, task).Err() != nil {
		t.Errorf("then: %v", err)
	}
}

func TestAKeyIsForgottenWithItsRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.NewWithConfig(t, fxtasks.Config{RetainFor: time.Minute})
		api := newAPI(t, m, open)
		seen := make(map[*fxtasks.Task]bool)
		for range 3 {
			task, err := once(t, api, m, "ann", "report", "k", nothing)
			if err != nil {
				t.Fatal(err)
			}
			seen[finished(t, task)] = true
			time.Sleep(40 * time.Second)
		}
		if len(seen) != 2 {
			t.Errorf("three requests over 80 s gave %d tasks, want one until a minute has passed", len(seen))
		}
	})
}

func TestConcurrentRequestsWithOneKeyRunOnce(t *testing.T) {
	m := fxtaskstest.New(t)
	api := newAPI(t, m, open)
	ids := make(chan string)
	for range 20 {
		go func() {
			task, err := once(t, api, m, "ann", "report", "k", untilCancelled)
			if err != nil {
				ids <- err.Error()
				return
			}
			ids <- task.ID()
		}()
	}
	want := <-ids
	for range 19 {
		if id := <-ids; id != want {
			t.Errorf("tasks %s and %s", id, want)
		}
	}
	if n := m.Stats().Submitted; n != 1 {
		t.Errorf("%d tasks", n)
	}
}

func TestSubmitKeepsTheRequestsValuesButNotItsEnd(t *testing.T) {
	type key struct{}
	m := fxtaskstest.New(t)
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), key{}, "trace"))
	got := make(chan any, 1)
	task, err := newAPI(t, m, open).Submit(newRequest("POST", "/", "").WithContext(ctx), "", m, "work", func(ctx context.Context) error {
		got <- ctx.Value(key{})
		return untilCancelled(ctx)
	})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if v := <-got; v != "trace" || task.Status() != fxtasks.Running {
		t.Errorf("the task has the value %v and is %v", v, task.Status())
	}
}

func TestAcceptedShowsWhatTheCallerMaySee(t *testing.T) {
	m := fxtaskstest.New(t)
	api := newAPI(t, m, httpapi.Config{Authorize: (&rules{denied: []string{"view_stack a"}}).authorize,
		Redact: func(string, string) string { return "***" }})
	task := finished(t, submit(t, m, "work", func(context.Context) error { panic("no paper") },
		fxtasks.WithID("a"), fxtasks.WithMetadata(map[string]string{"token": "s3cret"})))
	a := post(t, api, task)
	if got := a.task(); got.Metadata["token"] != "***" || got.Error.Stack != "" {
		t.Errorf("the task is %s", a.body)
	}
}

func TestCloseStreamsEndsTheWaitingThatWasPreferred(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.New(t)
		api := newAPI(t, m, open)
		time.AfterFunc(time.Second, api.CloseStreams)
		begin := time.Now()
		post(t, api, submit(t, m, "work", untilCancelled), "Prefer: wait=20").want(http.StatusAccepted)
		if took := time.Since(begin); took != time.Second {
			t.Errorf("it waited %v after the streams were closed", took-time.Second)
		}
	})
}
