package main

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/fxtasks/background/echoadapter"
	"github.com/fxtasks/background/riveradapter"
)

// Handlers answers requests.
type Handlers struct {
	jobs    riveradapter.Client
	store   Store
	adapter *echoadapter.Adapter
}

// NewHandlers needs a client of the jobs, on whichever database they are.
func NewHandlers(jobs riveradapter.Client, store Store, adapter *echoadapter.Adapter) *Handlers {
	return &Handlers{jobs: jobs, store: store, adapter: adapter}
}

// Register adds the routes to e.
func (h *Handlers) Register(e *echo.Echo) {
	e.POST("/reports", h.build)
	e.POST("/reports/batch", h.batch)
	e.GET("/reports", h.reports)
	e.GET("/ticks", h.ticks)
	e.GET("/healthz", func(c echo.Context) error { return c.NoContent(http.StatusOK) })
}

// build inserts a job: 202, with its Location, which any replica answers.
func (h *Handlers) build(c echo.Context) error {
	order := NewBuildReport()
	if err := decode(c, &order); err != nil {
		return err
	}
	if err := order.validate(); err != nil {
		return echo.NewHTTPError(http.StatusBadRequest, err.Error())
	}
	result, err := h.jobs.Insert(c.Request().Context(), order, nil)
	if err != nil {
		return echoadapter.HTTPError(err)
	}
	return h.adapter.AcceptedJob(c, strconv.FormatInt(result.Job.ID, 10))
}

// decode reads JSON whatever the Content-Type says.
func decode(c echo.Context, into any) error {
	if err := c.Echo().JSONSerializer.Deserialize(c, into); err != nil {
		return echo.NewHTTPError(http.StatusBadRequest, "the body is not what it should be: "+err.Error())
	}
	return nil
}

const maxBatch = 100_000

// batch inserts many jobs together with rows of the application's own, or none of either.
func (h *Handlers) batch(c echo.Context) error {
	body := struct {
		BuildReport
		Count    int  `json:"count"`
		Rollback bool `json:"rollback"`
	}{BuildReport: NewBuildReport(), Count: 100}
	if err := decode(c, &body); err != nil {
		return err
	}
	if body.Count < 1 || body.Count > maxBatch {
		return echo.NewHTTPError(http.StatusBadRequest, fmt.Sprintf("count is %d: must be 1 to %d", body.Count, maxBatch))
	}
	if err := body.validate(); err != nil {
		return echo.NewHTTPError(http.StatusBadRequest, err.Error())
	}
	orders := make([]BuildReport, body.Count)
	for i := range orders {
		orders[i] = body.BuildReport
	}
	ids := []int64{}
	var err error
	if body.Rollback {
		err = h.store.OrderInVain(c.Request().Context(), orders)
	} else {
		ids, err = h.store.Order(c.Request().Context(), orders)
	}
	if err != nil {
		return echoadapter.HTTPError(err)
	}
	return c.JSON(http.StatusOK, map[string]any{"ids": ids})
}

func (h *Handlers) reports(c echo.Context) error {
	reports, err := h.store.Reports(c.Request().Context())
	if err != nil {
		return echoadapter.HTTPError(err)
	}
	return c.JSON(http.StatusOK, reports)
}

func (h *Handlers) ticks(c echo.Context) error {
	ticks, err := h.store.Ticks(c.Request().Context())
	if err != nil {
		return echoadapter.HTTPError(err)
	}
	return c.JSON(http.StatusOK, ticks)
}
