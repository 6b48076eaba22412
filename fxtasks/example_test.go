package fxtasks_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// A task outlives the request that submitted it, and can be waited for.
func ExampleManager_Submit() {
	tasks, err := fxtasks.New(fxtasks.Config{})
	if err != nil {
		panic(err)
	}
	defer tasks.Shutdown(context.Background())

	request, end := context.WithCancel(context.Background())
	task, err := tasks.Submit(request, "send-mail", func(ctx context.Context) error {
		return errors.New("mailbox is full")
	}, fxtasks.WithTimeout(time.Minute), fxtasks.WithMetadata(map[string]string{"to": "ada"}))
	if err != nil {
		panic(err) // bad arguments, a full queue, or the manager shuts down
	}
	end() // of the request: the task goes on

	fmt.Println(task.Wait(context.Background()))
	info := task.Info()
	fmt.Println(info.Name, "for", info.Metadata["to"], info.Status)
	// Output:
	// mailbox is full
	// send-mail for ada failed
}

// A function may give a value, which whoever submitted it waits for.
func ExampleSubmitResult() {
	tasks, err := fxtasks.New(fxtasks.Config{})
	if err != nil {
		panic(err)
	}
	defer tasks.Shutdown(context.Background())

	ctx := context.Background()
	count, err := fxtasks.SubmitResult(ctx, tasks, "count-rows", func(context.Context) (int, error) {
		return 42, nil
	})
	if err != nil {
		panic(err)
	}
	rows, err := count.Value(ctx)
	fmt.Println(rows, err)
	// Output: 42 <nil>
}

// A group bounds one kind of work, so that it leaves room for the rest.
func ExampleManager_Group() {
	tasks, err := fxtasks.New(fxtasks.Config{MaxRunning: 100})
	if err != nil {
		panic(err)
	}
	defer tasks.Shutdown(context.Background())

	reports, err := tasks.Group("reports", fxtasks.GroupConfig{MaxRunning: 1, MaxPending: 1})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	release := make(chan struct{})
	for range 3 {
		_, err := reports.Submit(ctx, "build-report", func(context.Context) error {
			<-release
			return nil
		})
		fmt.Println(errors.Is(err, fxtasks.ErrQueueFull))
	}
	fmt.Println(reports.Stats().Running, "runs,", reports.Stats().Pending, "waits")

	close(release)
	fmt.Println(reports.Wait(ctx))
	// Output:
	// false
	// false
	// true
	// 1 runs, 1 waits
	// <nil>
}

// A task tells how far it is; Info, List and the task's events show it.
func ExampleReportProgress() {
	tasks, err := fxtasks.New(fxtasks.Config{})
	if err != nil {
		panic(err)
	}
	defer tasks.Shutdown(context.Background())

	files := []string{"a.csv", "b.csv", "c.csv"}
	ctx := context.Background()
	task, err := tasks.Submit(ctx, "import", func(ctx context.Context) error {
		for i, file := range files {
			fxtasks.ReportProgress(ctx, fxtasks.Progress{
				Current: int64(i + 1), Total: int64(len(files)), Unit: "files", Message: file,
			})
		}
		return nil
	})
	if err != nil {
		panic(err)
	}
	if err := task.Wait(ctx); err != nil {
		panic(err)
	}
	p := task.Info().Progress
	fmt.Printf("%d of %d %s, last %s\n", p.Current, p.Total, p.Unit, p.Message)
	// Output: 3 of 3 files, last c.csv
}

// A subscription follows what happens to all tasks. It needs no closing.
func ExampleManager_Subscribe() {
	tasks, err := fxtasks.New(fxtasks.Config{})
	if err != nil {
		panic(err)
	}
	events := tasks.Subscribe(fxtasks.Latest)

	ctx := context.Background()
	if _, err := tasks.Submit(ctx, "send-mail", func(context.Context) error { return nil }); err != nil {
		panic(err)
	}
	if err := tasks.Wait(ctx); err != nil {
		panic(err)
	}
	if _, err := tasks.Shutdown(ctx); err != nil {
		panic(err)
	}
	for e := range events.All(ctx) { // ends because the manager has stopped
		fmt.Println(e.Seq, e.Task.Name, e.Kind)
	}
	// Output:
	// 1 send-mail submitted
	// 2 send-mail started
	// 3 send-mail finished
}

// Shutdown asks tasks to end, after a grace if they have one, and reports those that do not.
func ExampleManager_Shutdown() {
	tasks, err := fxtasks.New(fxtasks.Config{ShutdownTimeout: 50 * time.Millisecond})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	submit := func(name string, fn fxtasks.Func) {
		if _, err := tasks.Submit(ctx, name, fn); err != nil {
			panic(err)
		}
	}
	release := make(chan struct{})
	submit("polite", func(ctx context.Context) error {
		<-ctx.Done()
		return context.Cause(ctx) // fxtasks.ErrShutdown
	})
	submit("stubborn", func(context.Context) error {
		<-release // does not look at its context
		return nil
	})

	report, err := tasks.Shutdown(ctx)
	if stuck := (*fxtasks.ShutdownError)(nil); errors.As(err, &stuck) {
		for _, s := range stuck.Report.Stuck {
			fmt.Println("still running:", s.Info.Name) // s.Stack says where it hangs
		}
	}
	fmt.Printf("%s: %d of %d returned\n", report.Status, report.Returned, report.Initial)

	_, err = tasks.Submit(ctx, "late", func(context.Context) error { return nil })
	fmt.Println(errors.Is(err, fxtasks.ErrShuttingDown))

	close(release)
	_ = tasks.Wait(ctx)
	// Output:
	// still running: stubborn
	// timeout: 1 of 2 returned
	// true
}

// A chosen ID belongs to one active task; WithDuplicate says what a second submit of it does.
func ExampleWithDuplicate() {
	tasks, err := fxtasks.New(fxtasks.Config{})
	if err != nil {
		panic(err)
	}
	defer tasks.Shutdown(context.Background())

	ctx := context.Background()
	refresh := func(ctx context.Context) error {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	id := fxtasks.WithID("cache")
	first, err := tasks.Submit(ctx, "refresh", refresh, id)
	if err != nil {
		panic(err)
	}

	_, err = tasks.Submit(ctx, "refresh", refresh, id) // fxtasks.Reject
	fmt.Println("reject:", errors.Is(err, fxtasks.ErrDuplicateID))

	joined, err := tasks.Submit(ctx, "refresh", refresh, id, fxtasks.WithDuplicate(fxtasks.Join))
	fmt.Println("join:", joined == first, err)

	second, err := tasks.Submit(ctx, "refresh", refresh, id, fxtasks.WithDuplicate(fxtasks.Replace))
	fmt.Println("replace:", second != first, err)
	fmt.Println("the first one:", first.Wait(ctx))
	// Output:
	// reject: true
	// join: true <nil>
	// replace: true <nil>
	// the first one: fxtasks: task replaced
}
