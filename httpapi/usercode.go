package httpapi

import (
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"

	"go.uber.org/zap"

	"github.com/fxtasks/background/fxtasks"
)

// guard runs f, which calls the function of that name in the application's code, and reports
// whether it returned. A panic is logged and goes no further: an answer that is lost to it would be
// asked for again, and start the work twice.
func (a *API) guard(name string, f func()) (returned bool) {
	defer func() {
		if v := recover(); v != nil {
			defer func() { _ = recover() }() // the logger is the application's code too
			a.cfg.Logger.Error("panic in the application's code", zap.String("function", name), zap.String("panic", fmt.Sprint(v)), zap.ByteString("stack", debug.Stack()))
		}
	}()
	f()
	return true
}

// caller gives who asks. It refuses, with an answer, when that cannot be found out.
func (a *API) caller(w http.ResponseWriter, r *http.Request) (name string, ok bool) {
	ok = a.guard("Config.Caller", func() { name = a.cfg.Caller(r) })
	if !ok {
		newProblem(http.StatusInternalServerError, "it could not be found out who asks").write(w)
	}
	return name, ok
}

// log writes the line of what a caller has done. Inlined in each of its callers it would make programs larger.
//
//go:noinline
func (a *API) log(r *http.Request, caller, message string, fields ...zap.Field) {
	a.guard("Config.Logger", func() {
		a.cfg.Logger.Info(message, append(fields, zap.String("caller", caller), zap.String("remote_addr", r.RemoteAddr))...)
	})
}

// redacted stands for a value whose Redact panicked.
const redacted = "(redacted)"

// shownMetadata gives metadata as it leaves: this is the one place.
func (a *API) shownMetadata(metadata map[string]string) map[string]string {
	if len(metadata) == 0 {
		return nil
	}
	shown := make(map[string]string, len(metadata))
	for key, value := range metadata {
		shown[key] = a.redact(key, value)
	}
	return shown
}

func (a *API) redact(key, value string) string {
	shown := redacted
	a.guard("Config.Redact", func() { shown = a.cfg.Redact(key, value) })
	return shown
}

// Link leads from a task to somewhere else, for example to its trace.
type Link struct {
	Text string `json:"text"`
	URL  string `json:"url"` // http, https, or relative to the page
}

// links gives those links of a task that a page can show without running what they say.
func (a *API) links(task fxtasks.Info) (links []Link) {
	if a.cfg.Links == nil {
		return nil
	}
	a.guard("Config.Links", func() {
		for _, link := range a.cfg.Links(task) {
			if link.Text != "" && isWebAddress(link.URL) {
				links = append(links, link)
			}
		}
	})
	return links
}

// isWebAddress reports whether an address is http, https or relative.
func isWebAddress(address string) bool {
	u, err := url.Parse(address)
	return err == nil && address != "" && (u.Scheme == "" || strings.EqualFold(u.Scheme, "http") || strings.EqualFold(u.Scheme, "https"))
}
