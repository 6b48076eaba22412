package adaptertest

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// cannotFlush has http.TimeoutHandler around everything: its writer keeps what is written until the
// handler returns.
func cannotFlush(t *testing.T, v Version) {
	a := start(t, v, Config{API: open})
	a.echo.UseStandard(func(next http.Handler) http.Handler {
		return http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				if value := recover(); value != nil {
					t.Errorf("%s panicked: %v", r.URL, value)
				}
			}()
			next.ServeHTTP(w, r)
		}), time.Minute, "too late")
	})
	a.do("GET", "/background/tasks").want(http.StatusOK, `"tasks":[]`)
	a.do("GET", "/background/events").want(http.StatusInternalServerError, `"status":500`).wantHeader("Content-Type", problem)
	a.do("GET", "/background/").want(http.StatusOK)
	a.submits("/reports", nothing)
	a.do("POST", "/reports", "Prefer: wait=10").want(http.StatusOK, `"status":"completed"`)
}

func outlivesTimeouts(t *testing.T, v Version) {
	a := start(t, v, Config{API: open})
	server := httptest.NewUnstartedServer(a.echo)
	server.Config.ReadTimeout, server.Config.WriteTimeout = time.Second/2, time.Second/2
	server.Start()
	defer server.Close()
	server.Config.RegisterOnShutdown(a.adapter.CloseStreams)
	a.url = server.URL
	r, lines := a.stream()
	for range 2 { // stats come once a second, when they have changed
		if _, err := a.tasks.Submit(t.Context(), "work", nothing); err != nil {
			t.Fatal(err)
		}
		readUntil(t, lines, "event: stats")
	}
	_ = r.Body.Close()
}

func shutdown(t *testing.T, v Version) {
	for name, protocols := range map[string][]string{
		"plain": nil, "TLS": {"http/1.1"}, "HTTP/2": {"h2", "http/1.1"},
	} {
		t.Run(name, func(t *testing.T) {
			a := start(t, v, Config{API: open})
			if protocols != nil {
				a.serveTLS(protocols)
			}
			for range 3 {
				r, _ := a.stream()
				if want := map[bool]int{true: 2, false: 1}[name == "HTTP/2"]; r.ProtoMajor != want {
					t.Fatalf("the stream speaks %s", r.Proto)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // streams that are not ended use it up
			defer cancel()
			if err := a.stop(ctx); err != nil {
				t.Errorf("Shutdown waited for the streams: %v", err)
			}
		})
	}
}

// serveTLS serves with a certificate that the client trusts.
func (a *app) serveTLS(protocols []string) {
	a.t.Helper()
	borrowed := httptest.NewTLSServer(nil)
	borrowed.Close()
	trust := borrowed.Client().Transport.(*http.Transport).TLSClientConfig
	a.serve(&tls.Config{Certificates: borrowed.TLS.Certificates, NextProtos: protocols},
		&http.Transport{TLSClientConfig: trust, ForceAttemptHTTP2: len(protocols) > 1})
}

func closeStreams(t *testing.T, v Version) {
	a := start(t, v, Config{API: open})
	server := httptest.NewServer(a.echo)
	defer server.Close()
	server.Config.RegisterOnShutdown(a.adapter.CloseStreams)
	a.url = server.URL
	_, lines := a.stream()
	if _, err := a.tasks.Submit(t.Context(), "work", nothing, fxtasks.WithID("seen")); err != nil {
		t.Fatal(err)
	}
	readUntil(t, lines, `"id":"seen"`)
	if err := server.Config.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	for lines.Scan() { // it ends
		_ = lines.Text()
	}
}
