package echoadapter_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/fxtasks/background/echoadapter"
	"github.com/fxtasks/background/fxtasks"
)

func TestHTTPError(t *testing.T) {
	for err, code := range map[error]int{
		fxtasks.ErrInvalid:                      http.StatusBadRequest,
		fxtasks.ErrNotFound:                     http.StatusNotFound,
		fxtasks.ErrDuplicateID:                  http.StatusConflict,
		fxtasks.ErrFinished:                     http.StatusConflict,
		fxtasks.ErrStillRunning:                 http.StatusConflict,
		fxtasks.ErrQueueFull:                    http.StatusTooManyRequests,
		fxtasks.ErrShuttingDown:                 http.StatusServiceUnavailable,
		context.Canceled:                        http.StatusServiceUnavailable,
		context.DeadlineExceeded:                http.StatusServiceUnavailable,
		errors.New("dial tcp 10.0.0.7: secret"): http.StatusInternalServerError,
	} {
		for _, err := range []error{err, fmt.Errorf("secret: %w", err), errors.Join(errors.New("secret"), err)} {
			got := echoadapter.HTTPError(err)
			if got.Code != code || !errors.Is(got, err) || fmt.Sprint(got.Message) == "" {
				t.Errorf("%v is %+v, want %d", err, got, code)
			}
			if code != http.StatusBadRequest && strings.Contains(fmt.Sprint(got.Message), "secret") {
				t.Errorf("%v tells %q", err, got.Message)
			}
		}
	}
}

func TestHTTPErrorOfNilAndOfItsOwnKind(t *testing.T) {
	if got := echoadapter.HTTPError(nil); got != nil {
		t.Errorf("nil is %v", got)
	}
	teapot := echo.NewHTTPError(http.StatusTeapot, "short and stout")
	for _, err := range []error{teapot, fmt.Errorf("wrapped: %w", teapot)} {
		if got := echoadapter.HTTPError(err); got != teapot {
			t.Errorf("%v is %v", err, got)
		}
	}
}
