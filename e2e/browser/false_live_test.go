package browser_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/httpapi"
)

func (p *page) isLive() bool { return strings.Contains(p.get("banner", "").text(), "Live") }

// silence swallows what is written while it is on.
type silence struct {
	http.ResponseWriter
	on *atomic.Bool
}

func (s silence) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (s silence) Write(data []byte) (int, error) {
	if s.on.Load() {
		return len(data), nil
	}
	return s.ResponseWriter.Write(data)
}

func TestASilentStreamIsNotLive_couchdbcouch137(t *testing.T) {
	t.Parallel()
	var silent atomic.Bool
	s := serve(t, fxtasks.Config{}, httpapi.Config{}, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/events") {
				w = silence{w, &silent}
			}
			next.ServeHTTP(w, r)
		})
	})
	p := open(t, s.url)
	p.goesLive()
	silent.Store(true)
	until(t, "the page is no longer live", func() bool { return !p.isLive() })
	s.submit("import-orders", runs)
	p.tasks("In progress").get("row", "import-orders").appears() // by polling
	silent.Store(false)
	s.submit("send-mail", runs)
	p.goesLive()
}

// interposed gives a front that answers itself, so long as instead is set.
func interposed(instead *atomic.Pointer[http.HandlerFunc]) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if answer := instead.Load(); answer != nil {
				(*answer)(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

func TestAnswersThatAreNotTheAPIs(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]struct {
		answer http.HandlerFunc
		shows  []string
		link   bool
	}{
		"a redirect to a login_noderedDashboard2074": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/login", http.StatusFound)
		}, []string{"signed out", "Sign in again"}, true},
		"a login page_noderedDashboard2074": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<html><form>Password</form></html>")
		}, []string{"Sign in again"}, true},
		"a message of middleware_echo2874": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"message":"missing csrf token"}`)
		}, []string{"missing csrf token"}, false},
		"plain text": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "upstream connect error", http.StatusBadGateway)
		}, []string{"Disconnected", "upstream connect error"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var instead atomic.Pointer[http.HandlerFunc]
			s := serve(t, fxtasks.Config{}, httpapi.Config{LoginURL: "/sign-in"}, interposed(&instead))
			p := chromium.newPage(t, s.url) // the browser complains of what it gets
			p.visit("")
			p.goesLive()
			instead.Store(&kind.answer)
			p.get("button", "Pause").click() // the stream is opened anew
			p.get("button", "Resume").click()
			p.get("main", "").shows(kind.shows...)
			if p.isLive() {
				t.Error("and the page says that it is live")
			}
			if kind.link {
				if href := read[string](p.get("link", "Sign in"), `function() { return this.getAttribute('href') }`); href != "/sign-in" {
					t.Errorf("the link leads to %q", href)
				}
			} else if !p.get("link", "Sign in").isGone() {
				t.Error("there is a link to sign in")
			}
			instead.Store(nil)
			p.goesLive()
		})
	}
}

func TestAfterTheLogout(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *browser) {
		var out atomic.Bool
		s := serve(t, fxtasks.Config{}, httpapi.Config{LoginURL: "/sign-in", Authorize: func(*http.Request, httpapi.Action, *fxtasks.Info) error {
			if out.Load() {
				return httpapi.ErrUnauthenticated
			}
			return nil
		}}, nil)
		p := in.open(t, s.url)
		p.goesLive()
		out.Store(true)
		p.get("main", "").shows("Sign in again")
		p.get("banner", "").shows("Signed out")
		p.get("link", "Sign in").appears()
		out.Store(false)
		p.goesLive()
	})
}

func TestStreamThatIsRefused_echo2592(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	s := serve(t, fxtasks.Config{}, httpapi.Config{}, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/events") {
				asked.Add(1)
				http.Error(w, "no streams here", http.StatusInternalServerError)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	p := open(t, s.url)
	p.get("banner", "").shows("Polling every 5 s")
	for range 2 {
		s.submit("import-orders", runs)
	}
	p.tasks("In progress").get("row", "import-orders").appears()
	if n := asked.Load(); n > 3 {
		t.Errorf("the stream was asked for %d times at once", n)
	}
}

func TestSeveralReplicas_kubernetesdashboard2272(t *testing.T) {
	t.Parallel()
	var turn atomic.Int32
	var targets []*url.URL
	for range 2 {
		targets = append(targets, &url.URL{Scheme: "http", Host: start(t).addr()})
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(targets[int(turn.Add(1))%2]) },
		FlushInterval: -1,
		Transport:     client.Transport,
	}
	front := httptest.NewServer(proxy)
	t.Cleanup(front.Close)
	t.Cleanup(front.CloseClientConnections)
	p := open(t, front.URL+"/background/")
	p.shows("You are looking at several replicas: ")
	if p.isLive() {
		t.Error("and the page says that it is live")
	}
}

func TestWindowsShareOneStream(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *browser) {
		var open atomic.Int32
		s := serve(t, fxtasks.Config{}, httpapi.Config{}, func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/events") {
					open.Add(1)
					defer open.Add(-1)
				}
				next.ServeHTTP(w, r)
			})
		})
		var windows []*page
		for range 7 {
			p := in.newPage(t, s.url)
			p.visit("")
			p.goesLive()
			windows = append(windows, p)
		}
		if n := open.Load(); n != 1 {
			t.Errorf("seven windows have %d streams", n)
		}
		s.submit("import-orders", runs)
		for _, p := range windows {
			p.tasks("In progress").get("row", "import-orders").appears()
		}
		windows[0].visit("assets/icon.svg") // it leaves
		task := s.submit("send-mail", func(ctx context.Context) error {
			fxtasks.ReportProgress(ctx, fxtasks.Progress{Current: 1, Message: "to ada"})
			return runs(ctx)
		})
		for _, p := range windows[1:] {
			p.tasks("In progress").get("row", "send-mail").shows("to ada")
			p.goesLive()
		}
		until(t, "another window has the stream", func() bool { return open.Load() == 1 })
		task.Cancel(context.Canceled)
	})
}

func TestAClockThatIsSet(t *testing.T) {
	inBrowsers(t, func(t *testing.T, in *browser) {
		s := serve(t, fxtasks.Config{}, httpapi.Config{}, nil)
		s.submit("import-orders", runs)
		p := in.open(t, s.url)
		row := p.tasks("In progress").get("row", "import-orders")
		row.shows("Running")
		before := p.requests("stats")
		eval[string](p, `(() => { const now = Date.now; Date.now = () => now() + 3600e3; return '' })()`)
		until(t, "the server is asked again", func() bool { return p.requests("stats") > before })
		if text := row.text(); strings.Contains(text, " h ") {
			t.Errorf("a task that has just started is shown as\n%s", text)
		}
		p.goesLive()
	})
}
