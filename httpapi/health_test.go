package httpapi_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
	"github.com/fxtasks/background/httpapi"
)

func wantHealthy(a answer) {
	a.t.Helper()
	a.want(http.StatusOK).wantHeader("Content-Type", "application/json")
	if body := strings.TrimSpace(string(a.body)); body != `{"status":"ok"}` {
		a.t.Errorf("%s: %s", a.request, body)
	}
}

func TestProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.New(t)
		ask := inBubble(t, newAPI(t, m, httpapi.Config{
			Authorize: func(*http.Request, httpapi.Action, *fxtasks.Info) error { return errors.New("nobody") }}))
		for range 100 {
			finished(t, submit(t, m, "work", func(context.Context) error { panic("no paper") }))
		}
		wantHealthy(ask("GET", "/livez", ""))
		wantHealthy(ask("GET", "/readyz", ""))
		wantHealthy(ask("GET", "/readyz", "", "Sec-Fetch-Site: cross-site"))

		submit(t, m, "work", func(context.Context) error { time.Sleep(time.Second); return nil })
		go func() { _, _ = m.Shutdown(context.Background()) }()
		for _, state := range []fxtasks.State{fxtasks.Draining, fxtasks.Stopped} {
			synctest.Wait()
			if m.State() != state {
				t.Fatalf("the manager is %v, not %v", m.State(), state)
			}
			wantHealthy(ask("GET", "/livez", ""))
			ask("GET", "/readyz", "").wantProblem(http.StatusServiceUnavailable)
			time.Sleep(2 * time.Second)
		}
	})
}
