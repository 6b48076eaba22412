// Package echo_test lets event streams pass the middleware of Echo that applications use for all
// their routes. It is here and not beside echoadapter because that middleware has dependencies
// which the library's users need not have.
package echo_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fxtasks/background/fxtasks"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// passing is what streams pass, and whether it compresses them.
var passing = map[string]bool{
	"none": false, "gzip": true, "gzip from 1 KiB": true, "recover and IDs": false,
	"headers": false, "bodies": false, "body dump": false, "deadline of a ctx": false,
}

func TestStreamsPassGlobalMiddleware(t *testing.T) {
	for name, compressed := range passing {
		for version, serve := range map[string]func(*testing.T, string) (string, *fxtasks.Manager, func(context.Context) error){"v4": serveV4, "v5": serveV5} {
			t.Run(version+" "+name, func(t *testing.T) {
				url, m, shutdown := serve(t, name)
				r := get(t, url+"/background/events") // asks for gzip, as Go's client does
				if r.StatusCode != http.StatusOK || r.Uncompressed != compressed {
					t.Errorf("%s, compressed: %t", r.Status, r.Uncompressed)
				}
				lines := bufio.NewScanner(r.Body)
				for _, id := range []string{"first", "second"} { // each arrives before the next is made
					if _, err := m.Submit(t.Context(), "work", nothing, fxtasks.WithID(id)); err != nil {
						t.Fatal(err)
					}
					readUntil(t, lines, `"id":"`+id+`"`)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				if err := shutdown(ctx); err != nil {
					t.Errorf("Shutdown waited for the stream: %v", err)
				}
			})
		}
	}
}

// Echo v4's Timeout keeps the response until the handler has returned; v5 has none.
func TestStreamsAreRefusedBehindTimeout_echo2592(t *testing.T) {
	url, _, _ := serveV4(t, "timeout")
	r := get(t, url+"/background/events")
	body, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusInternalServerError || r.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("%s %v %s (%v)", r.Status, r.Header, body, err)
	}
	if r := get(t, url+"/background/tasks"); r.StatusCode != http.StatusOK {
		t.Errorf("/tasks: %s", r.Status) // the page polls it
	}
}

func nothing(context.Context) error { return nil }

func get(t *testing.T, url string) *http.Response {
	t.Helper()
	client := &http.Client{Transport: new(http.Transport)}
	t.Cleanup(client.CloseIdleConnections)
	r, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Body.Close() })
	return r
}

func readUntil(t *testing.T, lines *bufio.Scanner, text string) {
	t.Helper()
	for lines.Scan() {
		if strings.Contains(lines.Text(), text) {
			return
		}
	}
	t.Fatalf("the stream ended before %s: %v", text, lines.Err())
}
