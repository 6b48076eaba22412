// Package fxtasks runs named background tasks in this process: limited, retried, scheduled, cancellable, and
// drained at shutdown. Constructors and handlers import it; package background, which main imports, wires it
// into an Fx application.
//
// # Usage
//
// A Manager takes work by name and runs it in the background:
//
//	task, err := tasks.Submit(ctx, "build-report", func(ctx context.Context) error {
//		return r.build(ctx)
//	}, fxtasks.WithTimeout(time.Minute))
//
// The task keeps the values of ctx, such as a trace, but not its cancellation: when an HTTP request
// ends, its tasks go on. They end by themselves, by Cancel, by their timeout, or when the manager
// shuts down; then their context ends, with the reason as its context.Cause. A function that does
// not return then cannot be stopped by anything: the manager keeps its slot taken, keeps showing
// it as running, and reports it, with the stack on which it hangs, when it shuts down.
//
// WithRetry gives a task more attempts, WithDelay starts it later, and Manager.Schedule runs it at times. For
// work that repeats use a schedule, not a task that submits its successor: with a context derived from its
// own, by WithValue or WithTimeout, each generation would keep the contexts of all before it in memory.
//
// A panic or runtime.Goexit in a task's function fails the task. A panic in a goroutine that the
// function starts itself ends the process: nothing can catch it.
//
// While a task runs, no other runs on its goroutine, but when it has returned, a queued one may: undo
// runtime.LockOSThread before returning.
//
// # Limits
//
// Config bounds a manager, GroupConfig a Group of its tasks on top of that. Tasks over the limit
// wait, in order of submission within their group; where too many wait, Submit returns ErrQueueFull,
// or waits itself if WithBlocking is given.
//
// A task that waits for others with its own context, for example child.Wait(ctx), keeps its slot and counts
// as waiting. While fewer tasks work than the limit allows, what it waits for may start ahead of its turn and
// beyond the number of slots: tasks that wait for tasks cannot deadlock a full manager. Tasks that wait for
// each other get ErrInvalid.
//
// # Concurrency
//
// Manager, Group, Task and Periodic may be used by any number of goroutines; a Subscription is for one at a
// time. Functions, middleware, loggers and contexts are never called under a lock, and a panic in one of them
// loses no task. What Info, List, Stats and events hand out are copies.
//
// # Watching
//
// Task and List give the state of tasks, Subscribe gives events as they happen, and History the outcomes of
// the last hour. Recent events lie in one ring that all subscriptions read at their own pace: a slow one loses
// the oldest events, and Missed tells how many, but it never holds up a task.
//
// # Testing
//
// Package fxtaskstest gives tests a manager that fails them when a task is stuck. All of it works
// inside a testing/synctest bubble.
package fxtasks
