package browser_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/httpapi"
)

// failures are what the page says of them, the first on top.
func (p *page) failures() []string {
	return p.get("region", "Latest failures").get("listitem", "").texts()
}

func (p *page) firstFailure(text string) {
	p.t.Helper()
	until(p.t, "the first of the failures is "+text, func() bool {
		shown := p.failures()
		return len(shown) > 0 && strings.Contains(shown[0], text)
	})
}

func TestFailuresStandInTheOrderOfTheirEnds_missioncontroljobs246(t *testing.T) {
	t.Parallel()
	s := serve(t, fxtasks.Config{}, httpapi.Config{}, nil)
	fail := make(chan struct{})
	slow := s.submit("slow-report", func(context.Context) error {
		<-fail
		return errors.New("disk full")
	})
	for i := range 40 {
		s.fail("sync-inventory", fmt.Sprintf("GET /v2/stock/%d: 502 Bad Gateway", i))
	}
	p := open(t, s.url)
	p.firstFailure("sync-inventory")
	if shown := p.failures(); len(shown) != 1 || !strings.Contains(shown[0], "×40") || !strings.Contains(shown[0], "502 Bad Gateway") {
		t.Errorf("40 failures of one kind are shown as %q", shown)
	}
	close(fail)
	<-slow.Done()
	p.firstFailure("slow-report")
	rows := p.tasks("Finished").rows()
	if len(rows) == 0 || !strings.Contains(rows[0], "slow-report") {
		t.Errorf("it is not the first that has finished: %q", rows)
	}
}

func TestOpeningCostsKilobytes_bullboard808(t *testing.T) {
	t.Parallel()
	const failures, most = 1000, 250_000
	s := serve(t, fxtasks.Config{}, httpapi.Config{}, nil)
	for i := range failures {
		s.fail(fmt.Sprintf("import-%d", i%3), strings.Repeat("x", 64<<10))
	}
	p := open(t, s.url)
	p.get("region", "Last hour").shows("Failed 1,000")
	p.get("region", "Latest failures").shows("×334")
	p.tasks("Finished").onlyShows("Failed")
	p.goesLive()
	until(t, "all answers are in", func() bool { return p.requests("history") > 0 })
	t.Logf("opening the page took %d bytes, its assets included", s.bytes.sum())
	if sum := s.bytes.sum(); sum > most {
		t.Errorf("opening the page took %d bytes", sum)
	}
}

func TestTheLongestRunningStandsFirst_argoworkflows60(t *testing.T) {
	t.Parallel()
	s := serve(t, fxtasks.Config{}, httpapi.Config{}, nil)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	s.submit("the-oldest", runs)
	for i := range 1400 {
		s.submit("import-orders", runs)
		if i == 1390 {
			s.submit("stubborn", func(context.Context) error { <-release; return nil }, fxtasks.WithTimeout(time.Millisecond))
		}
	}
	p := open(t, s.url)
	first := func(text string) func() bool {
		return func() bool {
			rows := p.tasks("In progress").rows()
			return len(rows) > 0 && strings.Contains(rows[0], text)
		}
	}
	until(t, "the oldest is first", first("the-oldest"))
	if rows := p.tasks("In progress").rows(); len(rows) > 100 {
		t.Errorf("%d rows are shown at once", len(rows))
	}
	until(t, "the stuck one is above it", first("stubborn"))
	p.tasks("In progress").shows("1 possibly stuck", "of 1,402 running are shown")
}

func TestSearchFindsParts_icingaweb2_2186(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *browser) {
		s := serve(t, fxtasks.Config{}, httpapi.Config{}, nil)
		s.submit("Import-Orders", runs, fxtasks.WithID("b25jZQ=="), fxtasks.WithMetadata(map[string]string{"customer": "ada"}))
		other := s.submit("send-mail", runs)
		s.fail("charge-card", "gateway: connection reset by peer")
		p := in.open(t, s.url)
		for _, sought := range []string{"ORDERS", "b25jZQ==", "5jzq", "customer=ada"} {
			p.search(sought)
			p.tasks("In progress").onlyShows("Import-Orders")
		}
		p.visit("?q=…" + other.ID()[len(other.ID())-8:]) // as it is shown
		p.tasks("In progress").onlyShows("send-mail")
		p.search("RESET BY")
		p.tasks("Finished").onlyShows("charge-card")
	})
}

func TestColumnsSortWhatIsShown(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *browser) {
		s := serve(t, fxtasks.Config{}, httpapi.Config{}, nil)
		end := make(chan struct{})
		slow := s.submit("slow", func(context.Context) error { <-end; return nil })
		p := in.open(t, s.url)
		p.tasks("In progress").onlyShows("slow") // so it runs for longer than the others
		close(end)
		<-slow.Done()
		for range 3 {
			<-s.submit("quick", func(context.Context) error { return nil }).Done()
		}
		first := func() string { return append(p.tasks("Finished").rows(), "")[0] }
		until(t, "the latest end is first", func() bool { return strings.Contains(first(), "quick") })
		p.tasks("Finished").get("button", "Ran").click()
		until(t, "the longest is first", func() bool { return strings.Contains(first(), "slow") })
	})
}

func TestNamesGroupsAndRetries(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *browser) {
		s := serve(t, fxtasks.Config{}, httpapi.Config{}, nil)
		group, err := s.Group("imports", fxtasks.GroupConfig{MaxRunning: 1, MaxPending: 20})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if _, err := group.Submit(context.Background(), "import-orders", runs); err != nil {
				t.Fatal(err)
			}
		}
		s.submit("charge-card", func(context.Context) error { return errors.New("card network away") },
			fxtasks.WithRetry(fxtasks.Retry{MaxAttempts: 5, Delay: func(int) time.Duration { return time.Minute }}))
		s.fail("sync-inventory", "502")
		p := in.open(t, s.url)
		p.get("region", "Groups").get("row", "imports").shows("1 of 1", "2 of 20")
		p.get("region", "By name").get("row", "sync-inventory").shows("100 %")
		p.get("region", "By name").get("row", "import-orders").appears()
		row := p.tasks("In progress").get("row", "charge-card")
		row.shows("Retrying", "attempt 2 of 5", "again in ", "card network away")
		p.get("region", "By name").get("link", "import-orders").click()
		p.tasks("In progress").onlyShows("import-orders")
		p.visit("?status=pending&name=import-orders")
		p.tasks("Pending").get("link", "import-orders").click()
		p.get("dialog", "import-orders").shows("Group “imports” runs 1 of 1")
	})
}

func TestSchedules(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *browser) {
		s := serve(t, fxtasks.Config{}, httpapi.Config{}, nil)
		end := make(chan struct{})
		_, err := s.Schedule("nightly-cleanup", fxtasks.Every(100*time.Hour), func(context.Context) error { <-end; return errors.New("no space") })
		if err != nil {
			t.Fatal(err)
		}
		p := in.open(t, s.url)
		schedules := p.get("region", "Schedules")
		schedules.shows("nightly-cleanup", "next in ", "has not run yet")
		schedules.get("button", "Run now: nightly-cleanup").click()
		p.shows("“nightly-cleanup” runs now.")
		p.tasks("In progress").get("row", "nightly-cleanup").shows("Running")
		schedules.get("button", "Run now: nightly-cleanup").click()
		p.shows("“nightly-cleanup” is running already.")
		close(end)
		schedules.shows("1 run", "Failed", "has never completed")
	})
}

func TestJobsOfAllReplicas(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *browser) {
		s := serve(t, fxtasks.Config{}, httpapi.Config{Jobs: newFakeJobs(time.Now())}, nil)
		p := in.open(t, s.url)
		jobs := p.get("region", "Jobs")
		jobs.get("row", "render-report").shows("Running", "on worker-7", "40 of 100 pages")
		jobs.get("row", "send-receipt").shows("Failed", "attempt 5 of 5", "550 mailbox unavailable")
		jobs.get("link", "send-receipt").click()
		dialog := p.get("dialog", "send-receipt")
		dialog.shows("Attempts that failed", "Attempt 4", "421 try again later", "ada@example.com")
		dialog.get("button", "Close").click()
		jobs.get("button", "Retry send-receipt").click()
		jobs.get("row", "send-receipt").shows("Pending")
		jobs.get("button", "Cancel render-report").click()
		p.get("dialog", "Cancel “render-report”?").get("button", "Cancel job").click()
		jobs.get("row", "render-report").shows("Cancelling")
		jobs.get("link", "render-report").click()
		p.get("dialog", "render-report").shows("9007199254740993") // as it is, above 2^53

		none := in.open(t, serve(t, fxtasks.Config{}, httpapi.Config{}, nil).url)
		none.goesLive()
		if !none.get("region", "Jobs").isGone() || none.requests("jobs") > 0 {
			t.Error("there are jobs where none are served")
		}
	})
}

func TestCancelAllThatMatch(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *browser) {
		s := serve(t, fxtasks.Config{}, httpapi.Config{}, nil)
		var all sync.WaitGroup
		for range 150 {
			all.Add(1)
			s.submit("import-orders", func(ctx context.Context) error { defer all.Done(); return runs(ctx) })
		}
		kept := s.submit("send-mail", runs)
		p := in.open(t, s.url)
		p.search("orders")
		p.get("button", "Cancel all 150 that match").click()
		dialog := p.get("dialog", "Cancel all 150 tasks that match?")
		dialog.shows("“orders”")
		dialog.get("button", "Cancel 150").click()
		p.shows("Asked 150 tasks to end.")
		all.Wait()
		if info := kept.Info(); !info.CancelRequestedAt.IsZero() {
			t.Error("another task was cancelled")
		}
	})
}

func TestCancellingManyCanBeStopped(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *browser) {
		const tasks, before = 150, 10 // before the stop
		goOn := make(chan struct{})
		var asked atomic.Int32
		s := serve(t, fxtasks.Config{}, httpapi.Config{}, func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodDelete && asked.Add(1) > before {
					<-goOn
				}
				next.ServeHTTP(w, r)
			})
		})
		for range tasks {
			s.submit("import-orders", runs)
		}
		p := in.open(t, s.url)
		p.search("orders")
		p.get("button", "Cancel all 150 that match").click()
		p.get("dialog", "Cancel all 150 tasks that match?").get("button", "Cancel 150").click()
		p.shows(fmt.Sprintf("Cancelling: %d of %d", before, tasks))
		p.get("button", "Stop").click()
		close(goOn)
		p.shows("Stopped. Asked ")
		if n := s.Stats().Running; n < tasks/2 {
			t.Errorf("only %d tasks go on after the stop", n)
		}
		p.tasks("In progress").onlyShows("import-orders")
		p.get("button", fmt.Sprintf("Cancel all %d that match", s.Stats().Running)).appears()
	})
}

func TestTimeRange(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *browser) {
		s := serve(t, fxtasks.Config{}, httpapi.Config{}, nil)
		early := s.submit("early", runs)
		between := early.Info().CreatedAt.Add(time.Millisecond)
		until(t, "a while has passed", func() bool { return time.Now().After(between.Add(time.Millisecond)) })
		s.submit("late", runs)
		p := in.open(t, s.url)

		at := func(t time.Time) string { return url.QueryEscape(t.UTC().Format(time.RFC3339Nano)) }
		p.visit("?from=" + at(between))
		p.tasks("In progress").onlyShows("late")
		p.visit("?to=" + at(between))
		p.tasks("In progress").onlyShows("early")

		p.get("link", "Clear").click()
		p.tasks("In progress").get("row", "late").appears()
		p.choose("range", "between")
		p.choose("from", time.Now().Add(time.Hour).Format("2006-01-02T15:04"))
		p.tasks("In progress").shows("Nothing in progress matches from ")
		p.choose("from", time.Now().Add(-time.Hour).Format("2006-01-02T15:04"))
		p.choose("to", time.Now().Add(time.Hour).Format("2006-01-02T15:04"))
		p.tasks("In progress").get("row", "early").appears()
		if q := p.query(); q.Get("from") == "" || q.Get("to") == "" {
			t.Errorf("the address bar has %v", q)
		}
		p.choose("range", "15m")
		p.tasks("In progress").get("row", "late").appears()
		if q := p.query(); q.Has("from") || q.Get("range") != "15m" {
			t.Errorf("the address bar has %v", q)
		}
	})
}

// choose gives a field of the search a value, as its picker does.
func (p *page) choose(id, value string) {
	p.t.Helper()
	eval[any](p, fmt.Sprintf(`(() => { const field = document.getElementById(%q); field.value = %q; field.dispatchEvent(new Event('change', { bubbles: true })) })()`, id, value))
}

func TestAllNamesAreShownWhenAskedFor(t *testing.T) {
	t.Parallel()
	s := serve(t, fxtasks.Config{}, httpapi.Config{}, nil)
	for i := range 230 {
		<-s.submit(fmt.Sprintf("kind-%03d", i), func(context.Context) error { return nil }).Done()
	}
	p := open(t, s.url)
	names := p.get("region", "By name")
	names.shows("200 of 230")
	names.get("button", "Show all 230").click()
	names.get("row", "kind-229").appears()
	if !names.get("button", "Show all").isGone() {
		t.Error("all are shown, and more are offered")
	}
}

func TestTheLongestWaitStandsFirst(t *testing.T) {
	t.Parallel()
	s := serve(t, fxtasks.Config{MaxRunning: 1}, httpapi.Config{}, nil)
	s.submit("running", runs)
	for range 12 { // submitted first, and not due
		s.submit("tomorrow", runs, fxtasks.WithDelay(24*time.Hour))
	}
	s.submit("waits", runs)
	p := open(t, s.url)
	until(t, "the one that is due is the first of those that wait", func() bool {
		rows := p.tasks("In progress").rows()
		return len(rows) > 1 && strings.Contains(rows[1], "waits")
	})
}

func TestSelectedTextStays_goodjob1606(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *browser) {
		s := serve(t, fxtasks.Config{}, httpapi.Config{}, nil)
		task := s.submit("import-orders", func(ctx context.Context) error {
			for page := 1; ctx.Err() == nil; page++ {
				fxtasks.ReportProgress(ctx, fxtasks.Progress{Current: int64(page), Total: 1 << 60, Message: fmt.Sprintf("page %d", page)})
				select {
				case <-time.After(50 * time.Millisecond):
				case <-ctx.Done():
				}
			}
			return ctx.Err()
		})
		p := in.open(t, s.url)
		p.visit("?task=" + task.ID())
		dialog := p.get("dialog", "import-orders")
		dialog.shows("page ", "1,152,921,504,606,846,976")
		selected := eval[string](p, `(() => { getSelection().selectAllChildren([...document.querySelectorAll('dialog p')].find((e) => e.textContent.startsWith('page '))); return String(getSelection()) })()`)
		before := s.progress(task)
		until(t, "the task has gone on for 3 s", func() bool { return s.progress(task) > before+60 })
		if now := eval[string](p, `String(getSelection())`); now != selected || selected == "" {
			t.Errorf("%q was selected, and now %q is", selected, now)
		}
		eval[string](p, `(getSelection().removeAllRanges(), '')`)
		until(t, "the page goes on", func() bool { return !strings.Contains(dialog.text(), selected+"\n") })
	})
}

func (s *served) progress(task *fxtasks.Task) int64 { return task.Info().Progress.Current }
