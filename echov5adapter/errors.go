package echov5adapter

import (
	"errors"
	"net/http"

	"github.com/labstack/echo/v5"

	"github.com/fxtasks/background/httpapi"
)

// HTTPError translates an error of the engine for Echo: ErrInvalid is 400, ErrNotFound 404,
// ErrDuplicateID, ErrFinished and ErrStillRunning 409, ErrQueueFull 429, ErrShuttingDown and a
// context's error 503, and all else 500, without detail. err stays reachable by errors.Is. An
// *echo.HTTPError is given back as it is, another error that has a StatusCode keeps that, and nil is
// given for nil. It cannot set Retry-After; Submit does.
func HTTPError(err error) *echo.HTTPError {
	if err == nil {
		return nil
	}
	if already := (*echo.HTTPError)(nil); errors.As(err, &already) {
		return already
	}
	if code := echo.StatusCode(err); code != 0 { // one of Echo's own, such as echo.ErrNotFound
		return newHTTPError(code, http.StatusText(code), err)
	}
	refusal := httpapi.RefusalOf(err)
	if refusal.Detail == "" {
		refusal.Detail = http.StatusText(refusal.Status)
	}
	return newHTTPError(refusal.Status, refusal.Detail, err)
}

func newHTTPError(code int, message string, err error) *echo.HTTPError {
	return echo.NewHTTPError(code, message).Wrap(err).(*echo.HTTPError) // by its documentation
}
