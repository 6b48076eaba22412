// Package background is what main imports, and package fxtasks what constructors and handlers do:
// this one wires the task manager into an Fx application, and drains it before the resources that
// its tasks use are closed.
//
//	fx.New(
//		fx.Provide(NewDB, NewReports),
//		background.Module,          // provides *fxtasks.Manager, drains it on stop
//		background.Uses[*sql.DB](), // tasks use the DB: drain before it closes
//	).Run()
//
// # Configuration
//
// Provide or supply an fxtasks.Config to change limits and timeouts, and a []fxtasks.Middleware to
// wrap every task. A *zap.Logger in the graph is used, by the name "background".
//
// # Stopping
//
// All stop hooks of an application share fx.StopTimeout, 15 seconds by default, and Fx skips those
// that are left when it is over. The drain therefore takes the shorter of Config.ShutdownTimeout
// and what is left of the stop timeout less Config.StopReserve. Tasks that will not stop are
// reported, the hook returns the *fxtasks.ShutdownError, later hooks still run, and the process
// exits with 1.
//
// Fx stops in reverse order of construction, and a manager that some other component pulls in
// early is drained late, after the database has closed. Uses turns that round for the whole
// application; NewGroup does it for the tasks of one component. The HTTP server's stop hook belongs
// last, in an fx.Invoke that takes what its handlers use: it is then the first to stop.
package background
