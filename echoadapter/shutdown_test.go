package echoadapter_test

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/fxtasks/background/echoadapter"
)

// serveTLS makes the Echo serve TLS, as e.StartTLS does, with a certificate that the client trusts.
func (a *app) serveTLS(protocols ...string) {
	a.t.Helper()
	borrowed := httptest.NewTLSServer(nil)
	borrowed.Close()
	config := &tls.Config{Certificates: borrowed.TLS.Certificates, NextProtos: protocols}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		a.t.Fatal(err)
	}
	a.echo.TLSServer.TLSConfig = config
	a.echo.TLSListener = tls.NewListener(l, config)
	a.url = "https://" + l.Addr().String()
	trust := borrowed.Client().Transport.(*http.Transport).TLSClientConfig
	a.http = &http.Client{Transport: &http.Transport{TLSClientConfig: trust, ForceAttemptHTTP2: len(protocols) > 1}}
	a.run(func() error { return a.echo.StartServer(a.echo.TLSServer) })
}

func TestOpenStreamsDoNotHoldUpShutdown(t *testing.T) {
	for name, serve := range map[string]func(*app){
		"Server":                func(*app) {},
		"TLSServer":             func(a *app) { a.serveTLS("http/1.1") },
		"TLSServer with HTTP/2": func(a *app) { a.serveTLS("h2", "http/1.1") },
	} {
		t.Run(name, func(t *testing.T) {
			a := start(t, echoadapter.Config{API: open})
			serve(a)
			for range 3 {
				r, _ := a.stream()
				if want := map[bool]int{true: 2, false: 1}[name == "TLSServer with HTTP/2"]; r.ProtoMajor != want {
					t.Fatalf("the stream speaks %s", r.Proto)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // streams that are not ended use it up
			defer cancel()
			if err := a.echo.Shutdown(ctx); err != nil {
				t.Errorf("Shutdown waited for the streams: %v", err)
			}
		})
	}
}

func TestCloseStreamsForAServerOfOnesOwn(t *testing.T) {
	a := start(t, echoadapter.Config{API: open})
	server := httptest.NewServer(a.echo)
	defer server.Close()
	server.Config.RegisterOnShutdown(a.adapter.CloseStreams)
	a.url = server.URL
	_, lines := a.stream()
	if err := server.Config.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	for lines.Scan() { // it ends
		_ = lines.Text()
	}
}
