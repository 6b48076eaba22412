package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
	"github.com/fxtasks/background/httpapi"
)

func allowAll(*http.Request, httpapi.Action, *fxtasks.Info) error { return nil }

func TestNewWantsToKnowWhoMayDoWhat(t *testing.T) {
	m := fxtaskstest.New(t)
	for name, test := range map[string]struct {
		m     *fxtasks.Manager
		cfg   httpapi.Config
		names string // what the error names; "": no error
	}{
		"neither":          {m, httpapi.Config{}, "Authorize"},
		"both":             {m, httpapi.Config{Authorize: allowAll, AllowUnauthenticated: true}, "AllowUnauthenticated"},
		"an authorizer":    {m, httpapi.Config{Authorize: allowAll}, ""},
		"open":             {m, httpapi.Config{AllowUnauthenticated: true}, ""},
		"no manager":       {nil, open, "manager"},
		"negative streams": {m, httpapi.Config{AllowUnauthenticated: true, MaxStreams: -1}, "MaxStreams is -1"},
	} {
		t.Run(name, func(t *testing.T) {
			api, err := httpapi.New(test.m, test.cfg)
			if test.names == "" {
				if err != nil || api == nil {
					t.Errorf("%v", err)
				}
				return
			}
			if err == nil || api != nil || !strings.Contains(err.Error(), test.names) {
				t.Errorf("error is %v, want one that names %q", err, test.names)
			}
		})
	}
}
