// Package httpapi serves a fxtasks.Manager over HTTP: a JSON API, an event stream, health endpoints
// and a dashboard. It is a plain http.Handler, for any router; package echoadapter mounts it on an
// Echo.
//
//	api, err := httpapi.New(tasks, httpapi.Config{Authorize: onlyOperators})
//	if err != nil {
//		return err
//	}
//	mux.Handle("/background/", http.StripPrefix("/background", api))
//	server.RegisterOnShutdown(api.CloseStreams) // an open page shall not hold up a deploy
//
// The routes, relative to where it is mounted:
//
//	GET    /                  the dashboard
//	GET    /tasks             a page of tasks: status, name, group, metadata.KEY, created_after, created_before, q, order, page_size, page_token
//	GET    /tasks/{id}        a task
//	DELETE /tasks/{id}        asks a task to end
//	GET    /jobs              with Config.Jobs, a page of durable jobs: status, kind, queue, page_size, page_token
//	GET    /jobs/{id}         a job
//	DELETE /jobs/{id}         asks a job to end
//	POST   /jobs/{id}/retry   runs a job again, now
//	GET    /stats             counters
//	GET    /schedules         what runs again and again in this process
//	POST   /schedules/{name}/run  runs it now
//	GET    /failures          why tasks fail: groups of one name and message
//	GET    /events            server-sent events
//	GET    /livez /readyz     for probes
//	GET    /openapi.json      all of this as an OpenAPI 3.1 document
//
// # Security
//
// New fails unless told who may do what. Health, the OpenAPI document and the page itself hold no
// data and are open to all; everything else asks Config.Authorize. A task that a caller may not
// view does not exist for that caller, except in total_size and in statistics. Metadata passes
// Config.Redact wherever it leaves. Requests of other origins that would change something are
// refused by the standard library's http.CrossOriginProtection, which has to be told the page's own
// origin by Config.TrustedOrigins where a proxy changes the Host header. Where nobody logs in,
// Config.AllowedHosts keeps pages of other sites out that have their name lead here.
//
// A function of Config that panics refuses, or shows less; the panic is logged.
package httpapi
