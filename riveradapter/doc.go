// Package riveradapter runs durable jobs in an Fx application: work that outlives its process, is worked by
// any replica, and is drained, shown and cancelled as tasks are. The queue is River, https://riverqueue.com,
// on PostgreSQL or in a SQLite file; its own types are used as they are.
//
//	fx.New(
//		fx.Provide(NewPool, NewReports),
//		background.Module,
//		postgres.Module, // or sqlite.Module
//		riveradapter.Worker[BuildReport](NewBuildReport),
//	)
//
// Jobs are inserted by the *river.Client that the database's module provides, or by a Client, which is the
// same without River's type parameter. Each attempt at a job is a task of the group "jobs/" and its queue,
// with the job's kind as its name: fxtasks.Logger, fxtasks.ReportProgress and middleware work in it.
//
// # Stopping
//
// When the application stops, no more jobs are fetched, those that run have their grace on the clock that
// the manager's tasks have, and then their context ends with fxtasks.ErrShutdown. A job that returns an
// error then is available again at once, to any replica, and has not used up the attempt. What workers were
// constructed with is closed after that.
//
// # Crashes
//
// The jobs of a replica that has died are started again by another one, within 35 seconds on PostgreSQL and
// 5 on SQLite, whatever their timeout. As in River, the crash has used up an attempt. A job runs at least
// once: one that ended right before a crash can run again, unless it uses river.JobCompleteTx.
package riveradapter
