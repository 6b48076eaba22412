package httpapi_test

import (
	"context"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
	"github.com/fxtasks/background/httpapi"
)

func TestAServersTimeoutsDoNotCutStreams(t *testing.T) {
	for name, configure := range map[string]func(*http.Server){
		"none":              func(*http.Server) {},
		"WriteTimeout":      func(s *http.Server) { s.WriteTimeout = 2 * time.Second },
		"IdleTimeout":       func(s *http.Server) { s.IdleTimeout = 2 * time.Second },
		"ReadHeaderTimeout": func(s *http.Server) { s.ReadHeaderTimeout = 2 * time.Second },
		"ReadTimeout":       func(s *http.Server) { s.ReadTimeout = 2 * time.Second },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := fxtaskstest.New(t)
				s := servePipe(t, newAPI(t, m, open), configure).open().read()
				time.Sleep(5 * time.Minute)
				finished(t, submit(t, m, "late", nothing))
				if text, ended := s.got(); ended || !strings.Contains(text, `"name":"late"`) {
					t.Errorf("the stream has ended: %t, after %q", ended, text)
				}
			})
		})
	}
}

func TestMaxStreams(t *testing.T) {
	m := fxtaskstest.New(t)
	c := serve(t, newAPI(t, m, httpapi.Config{AllowUnauthenticated: true, MaxStreams: 2}))
	first, second := c.stream(), c.stream()
	first.next()
	second.next()
	c.get("/events").wantHeader("Retry-After", "1").wantProblem(http.StatusServiceUnavailable)
	c.get("/stats").want(http.StatusOK)
	first.close()
	for c.do("HEAD", "/events", "").status != http.StatusOK { // the server finds out when it finds out
		runtime.Gosched()
	}
	c.stream().next()
}

func TestMaxStreamsDefaultsTo100(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newAPI(t, fxtaskstest.New(t), open)
		for range 100 {
			if s := stream(t, api); s.status != http.StatusOK {
				t.Fatalf("the status is %d", s.status)
			}
		}
		if s := stream(t, api); s.status != http.StatusServiceUnavailable {
			t.Errorf("one more is answered with %d", s.status)
		}
	})
}

func TestCloseStreamsEndsAllStreamsAndTakesNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.New(t)
		api := newAPI(t, m, open)
		server := servePipe(t, api, func(*http.Server) {})
		reading, stuck := server.open().read(), server.open() // stuck does not read its first event
		reading.got()
		begin := time.Now()
		api.CloseStreams()
		api.CloseStreams()
		if _, ended := reading.got(); !ended {
			t.Error("the stream goes on")
		}
		stuck.read()
		if _, ended := stuck.got(); !ended {
			t.Error("the stream that was not read goes on")
		}
		if s := stream(t, api); s.status != http.StatusServiceUnavailable {
			t.Errorf("a later stream is answered with %d", s.status)
		}
		inBubble(t, api)("GET", "/stats", "").want(http.StatusOK)
		if took := time.Since(begin); took > 0 {
			t.Errorf("it took %v", took)
		}
	})
}

func TestShutdownDoesNotWaitForStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.New(t)
		api := newAPI(t, m, open)
		server := servePipe(t, api, func(*http.Server) {})
		for i := range 100 {
			if s := server.open(); i%2 == 0 {
				s.read()
			}
		}
		submit(t, m, "work", nothing)
		synctest.Wait()
		begin := time.Now()
		if err := server.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(begin); took > 10*time.Millisecond { // Shutdown looks again after 1 ms, 2 ms, …
			t.Errorf("it took %v", took)
		}
	})
}

func TestShutdownDoesNotWaitForARealClientThatStoppedReading(t *testing.T) {
	m := fxtaskstest.New(t)
	api := newAPI(t, m, open)
	server := &http.Server{Handler: mounted(api)}
	server.RegisterOnShutdown(api.CloseStreams)
	c := listen(t, server)
	stuck := c.stream()
	stuck.next()
	big := fxtasks.WithMetadata(map[string]string{"text": strings.Repeat("x", 64<<10)})
	for range 400 { // far more than two sockets hold
		finished(t, submit(t, m, "work", nothing, big))
	}
	last := submit(t, m, "last", nothing)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // below the time for which a write may hang
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown waited for a client that does not read: %v", err)
	}
	for e, ok := stuck.more(); ok; e, ok = stuck.more() {
		if strings.Contains(e.data, last.ID()) {
			t.Error("the client got all: it was not stuck")
		}
	}
}

func TestAClientThatStoppedReadingLosesItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.New(t)
		api := newAPI(t, m, httpapi.Config{AllowUnauthenticated: true, MaxStreams: 1})
		stuck := servePipe(t, api, func(*http.Server) {}).open()
		if s := stream(t, api); s.status != http.StatusServiceUnavailable {
			t.Fatalf("one more is answered with %d", s.status)
		}
		time.Sleep(5 * time.Minute)
		if s := stream(t, api); s.status != http.StatusOK {
			t.Errorf("the status is %d", s.status)
		}
		stuck.read()
		if _, ended := stuck.got(); !ended {
			t.Error("the stream that was not read goes on")
		}
	})
}

func TestSlowStreamsHoldNothingUp(t *testing.T) {
	const streams, tasks = 200, 400
	synctest.Test(t, func(t *testing.T) {
		m := fxtaskstest.New(t)
		server := servePipe(t, newAPI(t, m, httpapi.Config{AllowUnauthenticated: true, MaxStreams: streams}), func(*http.Server) {})
		var reading, stuck []*pipeStream
		for range streams / 2 {
			reading, stuck = append(reading, server.open().read()), append(stuck, server.open())
		}
		synctest.Wait()
		before, begin := heap(), time.Now()
		for range tasks {
			finished(t, submit(t, m, "work", func(ctx context.Context) error {
				for i := range 3 { // together more events than are kept
					fxtasks.ReportProgress(ctx, fxtasks.Progress{Current: int64(i)})
				}
				return nil
			}))
		}
		last := finished(t, submit(t, m, "last", nothing))
		if took := time.Since(begin); took > 0 {
			t.Errorf("the tasks took %v of a clock that only waiting moves on", took)
		}
		for _, s := range reading {
			if text, ended := s.got(); ended || !strings.Contains(text, last.ID()) {
				t.Fatalf("a stream that is read has not got the last event (ended: %t)", ended)
			}
			s.mu.Lock()
			s.text = nil
			s.mu.Unlock()
		}
		if after := heap(); after > before+16<<20 { // all events for all that do not read would be 60 MB
			t.Errorf("the heap went from %d to %d bytes", before, after)
		}
		for _, s := range stuck {
			s.read()
		}
		for _, s := range stuck {
			if text, ended := s.got(); ended || !strings.Contains(text, "event: reset") || !strings.Contains(text, last.ID()) {
				t.Fatal("a stream that was read late has not got a reset and the last event")
			}
		}
	})
}

func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
