// Package background wires the task manager of package fxtasks into an Fx application, and drains it
// before the resources that its tasks use are closed. It is what main imports; constructors and
// handlers import fxtasks.
//
//	fx.New(
//		fx.Provide(NewDB, NewReports),
//		background.Module,          // provides *fxtasks.Manager, drains it on stop
//		background.Uses[*sql.DB](), // tasks use the DB: drain before it closes
//		background.Periodic("purge", fxtasks.Every(24*time.Hour), NewPurge),
//	).Run()
//
// # Configuration
//
// Provide or supply an fxtasks.Config to change limits and timeouts, and a []fxtasks.Middleware to
// wrap every task. A *zap.Logger in the graph is used, by the name "background". Modules that trace
// or measure tasks add theirs with Instrument. The line "background tasks are open" in the log has
// the limits and timeouts in force.
//
// # Stopping
//
// All stop hooks of an application share fx.StopTimeout, 15 seconds by default, and Fx skips those
// that are left when it is over. The drain therefore takes the shorter of Config.ShutdownTimeout
// and what is left of the stop timeout less Config.StopReserve. Tasks that will not stop are
// reported, the hook returns the *fxtasks.ShutdownError, later hooks still run, and the process
// exits with 1.
//
// The groups of NewGroup, the runs of Periodic and the manager are drained one after the other, by
// one clock: the first of them starts it, and all together have one ShutdownTimeout.
//
// Fx stops in reverse order of construction, and a manager that some other component pulls in
// early is drained late, after the database has closed. Uses turns that round for the whole
// application; NewGroup does it for the tasks of one component, and Periodic for its runs. The HTTP
// server's stop hook belongs last, in an fx.Invoke that takes what its handlers use: it is then the
// first to stop.
//
// A task that wants to stop the application calls Shutdown of the graph's fx.Shutdowner. App.Stop
// with the task's own context drains all tasks, that one too, but no later hook runs: the drain ends
// that context, and Fx gives up with it.
package background
