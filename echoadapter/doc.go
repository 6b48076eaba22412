// Package echoadapter puts the task API and its dashboard into an application on Echo v4, and answers
// the handlers that start tasks. For Echo v5 there is package echov5adapter.
//
//	fx.New(
//		background.Module,
//		echoadapter.Module, // API and dashboard under /background
//		fx.Supply(echoadapter.Config{API: httpapi.Config{Authorize: onlyOperators}}),
//		fx.Provide(echo.New, NewReports),
//		fx.Invoke(RegisterRoutes, StartServer),
//	).Run()
//
//	func (r *Reports) Create(c echo.Context) error {
//		return r.adapter.Submit(c, r.tasks, "build-report", func(ctx context.Context) error {
//			return r.build(ctx)
//		}, fxtasks.WithTimeout(time.Minute))
//	}
//
// Middleware that rewrites paths before routing, such as e.Pre(middleware.RemoveTrailingSlash()), has to
// skip the prefix: the page is at the prefix with its slash. Middleware that buffers responses, as Echo's
// Timeout does, has to skip the event stream; the page asks every few seconds where there is none.
//
// An echo.Context serves another request as soon as the handler has returned: read what the task
// needs from it before Submit, never in the task, or let Handle do that.
package echoadapter
