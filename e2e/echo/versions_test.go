package echo_test

import (
	"strings"
	"testing"

	echov4 "github.com/labstack/echo/v4"
	echov5 "github.com/labstack/echo/v5"
	"go.uber.org/fx"

	"github.com/fxtasks/background"
	"github.com/fxtasks/background/echoadapter"
	"github.com/fxtasks/background/echov5adapter"
	"github.com/fxtasks/background/httpapi"
)

var open = httpapi.Config{AllowUnauthenticated: true}

// The graph shows both major versions' Echo by the same name.
func TestTheOtherMajorVersionsEcho_H23(t *testing.T) {
	v4 := fx.Options(echoadapter.Module, fx.Supply(echoadapter.Config{API: open}))
	v5 := fx.Options(echov5adapter.Module, fx.Supply(echov5adapter.Config{API: open}))
	for name, test := range map[string]struct {
		app      fx.Option
		contains []string // nil: no error
	}{
		"v4's adapter, v5's Echo": {fx.Options(v4, fx.Provide(echov5.New)), []string{"is not the one of github.com/labstack/echo/v4", "use github.com/fxtasks/background/echov5adapter"}},
		"v5's adapter, v4's Echo": {fx.Options(v5, fx.Provide(echov4.New)), []string{"is not the one of github.com/labstack/echo/v5", "use github.com/fxtasks/background/echoadapter"}},
		"supplied":                {fx.Options(v5, fx.Supply(echov4.New())), []string{"is not the one of github.com/labstack/echo/v5"}},
		"both":                    {fx.Options(v4, v5, fx.Provide(echov5.New, echov4.New)), nil},
	} {
		t.Run(name, func(t *testing.T) {
			err := fx.New(fx.NopLogger, background.Module, test.app).Err()
			if test.contains == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			for _, text := range test.contains {
				if err == nil || !strings.Contains(err.Error(), text) {
					t.Errorf("the error %v does not contain %q", err, text)
				}
			}
		})
	}
}
