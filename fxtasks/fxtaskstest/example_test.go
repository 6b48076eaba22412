package fxtaskstest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
)

// Reports is what is tested: it submits tasks.
type Reports struct{ tasks *fxtasks.Manager }

func (r *Reports) Create(ctx context.Context) (*fxtasks.Task, error) {
	return r.tasks.Submit(ctx, "build-report", func(context.Context) error { return nil })
}

// testReports is, in a program of your own, TestReports(t *testing.T).
func testReports(t testing.TB) {
	tasks := fxtaskstest.New(t) // shut down when the test ends; a stuck task fails it
	reports := &Reports{tasks}

	task, err := reports.Create(context.Background())
	if err != nil {
		t.Fatalf("Create: %v", err)
	}
	fxtaskstest.WaitForStatus(t, tasks, task, fxtasks.Completed)
	fmt.Println(task.Name(), task.Status())
}

func Example() {
	t := &recorder{} // stands in for the *testing.T that package testing gives to TestReports
	t.run(testReports)
	// Output: build-report completed
}
