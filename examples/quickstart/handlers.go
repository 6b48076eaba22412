package main

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/fxtasks/background/echoadapter"
	"github.com/fxtasks/background/fxtasks"
)

// Handlers are the HTTP side of Checksums. They hand the request's context to tasks, which keep
// its values and not its cancellation, but never the echo.Context: that serves another request
// as soon as the handler has returned.
type Handlers struct {
	checksums *Checksums
	adapter   *echoadapter.Adapter
}

// NewHandlers makes the handlers of checksums.
func NewHandlers(checksums *Checksums, adapter *echoadapter.Adapter) *Handlers {
	return &Handlers{checksums, adapter}
}

// Register adds the routes to e.
func (h *Handlers) Register(e *echo.Echo) {
	e.POST("/checksums", h.start)
	e.GET("/checksums", h.list)
	e.GET("/checksums/:id", h.show)
	e.DELETE("/checksums/:id", h.cancel)
}

func (h *Handlers) start(c echo.Context) error {
	sum, err := h.checksums.Start(c.Request().Context())
	if err != nil {
		return echoadapter.HTTPError(err) // 429 when too many wait, 503 on stop
	}
	return h.adapter.Accepted(c, sum.Task) // 202, the task, and where it can be watched
}

func (h *Handlers) list(c echo.Context) error {
	views := []view{}
	for _, info := range h.checksums.List() {
		views = append(views, newView(info))
	}
	return c.JSON(http.StatusOK, map[string]any{"checksums": views})
}

func (h *Handlers) show(c echo.Context) error {
	sum, ok := h.checksums.Find(c.Param("id"))
	if !ok {
		return errUnknown
	}
	v := newView(sum.Info())
	if v.Status == fxtasks.Completed {
		result, err := sum.Value(c.Request().Context()) // at once: it is there
		if err != nil {
			return err
		}
		v.Result = &result
	}
	return c.JSON(http.StatusOK, v)
}

// cancel asks a checksum to stop, and does not wait until it has: 202, or 200 for one that has
// ended by now, as the body shows.
func (h *Handlers) cancel(c echo.Context) error {
	sum, ok := h.checksums.Find(c.Param("id"))
	if !ok {
		return errUnknown
	}
	sum.Cancel(nil)
	v := newView(sum.Info())
	if v.Status.Finished() {
		return c.JSON(http.StatusOK, v)
	}
	return c.JSON(http.StatusAccepted, v)
}

// errUnknown is sent as {"message": …}, as are all errors, by Echo.
var errUnknown = echo.NewHTTPError(http.StatusNotFound, "no such checksum")

// view is what a client sees of a checksum.
type view struct {
	ID              string         `json:"id"`
	Status          fxtasks.Status `json:"status"`
	CancelRequested bool           `json:"cancel_requested,omitempty"`
	Progress        progressView   `json:"progress,omitzero"`
	Error           string         `json:"error,omitempty"`
	Result          *Sums          `json:"result,omitempty"`
}

type progressView struct {
	Current int64  `json:"current"`
	Total   int64  `json:"total"`
	Unit    string `json:"unit"`
	Message string `json:"message,omitempty"`
}

func newView(info fxtasks.Info) view {
	v := view{
		ID:              info.ID,
		Status:          info.Status,
		CancelRequested: !info.CancelRequestedAt.IsZero(),
		Progress: progressView{
			Current: info.Progress.Current,
			Total:   info.Progress.Total,
			Unit:    info.Progress.Unit,
			Message: info.Progress.Message,
		},
	}
	if info.Err != nil {
		v.Error = info.Err.Error()
	}
	return v
}
