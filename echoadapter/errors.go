package echoadapter

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/fxtasks/background/httpapi"
)

// HTTPError translates an error of the engine for Echo: ErrInvalid is 400, ErrNotFound 404,
// ErrDuplicateID, ErrFinished and ErrStillRunning 409, ErrQueueFull 429, ErrShuttingDown and a
// context's error 503, and all else 500, without detail. err stays reachable as Internal. An
// *echo.HTTPError is given back as it is, and nil for nil. It cannot set Retry-After; Submit does.
func HTTPError(err error) *echo.HTTPError {
	if err == nil {
		return nil
	}
	if already := (*echo.HTTPError)(nil); errors.As(err, &already) {
		return already
	}
	refusal := httpapi.RefusalOf(err)
	if refusal.Detail == "" {
		refusal.Detail = http.StatusText(refusal.Status)
	}
	return echo.NewHTTPError(refusal.Status, refusal.Detail).SetInternal(err)
}
