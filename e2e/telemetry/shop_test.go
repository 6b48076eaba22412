//go:build unix

package telemetry_test

import (
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fxtasks/background/internal/process"
)

// client keeps no connections: they would be leaks of the tests.
var client = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

func run(t *testing.T, path string, args ...string) *process.Running {
	t.Helper()
	return process.Start(t, exec.Command(path, args...))
}

var servingAddress = regexp.MustCompile(`serving .*"http://([^/]+)/orders"`)

// startShop starts the example with so many orders a second, and gives its address.
func startShop(t *testing.T, load string, flags ...string) (shop *process.Running, address string) {
	t.Helper()
	shop = run(t, binary, append([]string{"-addr", "127.0.0.1:0", "-jobs", filepath.Join(t.TempDir(), "jobs.db"), "-load", load}, flags...)...)
	shop.Until("it serves", func() bool {
		if m := servingAddress.FindStringSubmatch(shop.Stderr.String()); m != nil {
			address = m[1]
		}
		return address != ""
	})
	return shop, address
}

// get gives the body of an answer, or "" if there is none.
func get(url string) string {
	response, err := client.Get(url)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	var body strings.Builder
	if _, err := io.Copy(&body, response.Body); err != nil || response.StatusCode != http.StatusOK {
		return ""
	}
	return body.String()
}
