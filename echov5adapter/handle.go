package echov5adapter

import (
	"context"
	"net/http"
	"reflect"

	"github.com/labstack/echo/v5"

	"github.com/fxtasks/background/fxtasks"
)

// Handle returns a handler that binds the request to an In, a struct or a pointer to one, by Echo's
// binder, validates it if the Echo has a Validator, and submits fn with it, as a.Submit does. So fn
// never sees an echo.Context, which serves another request as soon as the handler has returned. What
// cannot be bound is Echo's own error, and what is not valid a 400 unless the Validator chose
// another; fn is not submitted then.
//
//	e.POST("/reports/:year", echov5adapter.Handle(adapter, tasks, "build-report", reports.Build))
//
// An uploaded file is gone when the request is over: fn cannot open a *multipart.FileHeader of In.
func Handle[In any](a *Adapter, s fxtasks.Submitter, name string, fn func(ctx context.Context, in In) error, opts ...fxtasks.TaskOption) echo.HandlerFunc {
	pointer := reflect.TypeFor[In]().Kind() == reflect.Pointer
	return func(c *echo.Context) error {
		var in In
		target := any(&in)
		if pointer { // Echo binds parameters to structs only, not by way of two pointers
			in = reflect.New(reflect.TypeFor[In]().Elem()).Interface().(In)
			target = in
		}
		if err := c.Bind(target); err != nil {
			return err
		}
		if c.Echo().Validator != nil {
			if err := c.Validate(target); err != nil {
				return invalid(err)
			}
		}
		return a.Submit(c, s, name, func(ctx context.Context) error { return fn(ctx, in) }, opts...)
	}
}

// invalid is a 400 with the Validator's message, unless that is an answer already.
func invalid(err error) error {
	if echo.StatusCode(err) != 0 {
		return err
	}
	return newHTTPError(http.StatusBadRequest, err.Error(), err)
}
