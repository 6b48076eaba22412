package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/fxtasks/background/fxtasks"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func Example() {
	main()
	// Output: 40 events: 39 delivered, 1 refused, 0 cancelled
}

func TestAnEventIsTriedAgainUntilTheReceiverHasIt(t *testing.T) {
	failures := []int{http.StatusServiceUnavailable, never, hangsUp, http.StatusTooManyRequests}
	app := newTestApp(t, quick, func(_ string, n int) (status int) {
		if n <= len(failures) {
			return failures[n-1]
		}
		return http.StatusNoContent
	})
	task := app.send(t, "paid")
	again := app.send(t, "paid")
	if task != again {
		t.Error("the same event is delivered by another task")
	}
	if err := task.Wait(t.Context()); err != nil {
		t.Errorf("it is not delivered: %v", err)
	}
	if info := task.Info(); info.Attempt != len(failures)+1 || info.MaxAttempts != quick.Retry.MaxAttempts {
		t.Errorf("attempts: %d of %d", info.Attempt, info.MaxAttempts)
	}
	if n := app.receiver.Received("paid"); n != 1 {
		t.Errorf("the receiver has it %d times", n)
	}
	app.RequireStop()
}

func TestWhatIsRefusedIsNotTriedAgain(t *testing.T) {
	app := newTestApp(t, quick, func(string, int) int { return http.StatusGone })
	task := app.send(t, "paid")
	if err := task.Wait(t.Context()); err == nil || !strings.Contains(err.Error(), "410 Gone") {
		t.Errorf("the error is %v", err)
	}
	if n := task.Info().Attempt; n != 1 {
		t.Errorf("it took %d attempts", n)
	}
	app.RequireStop()
}

func TestAnEventThatNobodyTakesIsGivenUp(t *testing.T) {
	app := newTestApp(t, quick, func(string, int) int { return http.StatusServiceUnavailable })
	task := app.send(t, "paid")
	if err := task.Wait(t.Context()); err == nil || !strings.Contains(err.Error(), "503 Service Unavailable") {
		t.Errorf("the error is %v", err)
	}
	if n := task.Info().Attempt; n != quick.Retry.MaxAttempts {
		t.Errorf("it took %d attempts", n)
	}
	app.RequireStop()
}

func TestFourAreDeliveredAtATime(t *testing.T) {
	arrived, release := make(chan string), make(chan struct{})
	app := newTestApp(t, unhurried, func(event string, _ int) (status int) {
		arrived <- event
		<-release
		return http.StatusNoContent
	})
	var sent []*fxtasks.Task
	for n := range 6 {
		sent = append(sent, app.send(t, fmt.Sprint("event-", n)))
	}
	for range 4 {
		<-arrived
	}
	if c := app.webhooks.Counts(); c.Running != 4 || c.Pending != 2 {
		t.Errorf("%d are on their way and %d wait, want 4 and 2", c.Running, c.Pending)
	}
	close(release)
	for range 2 {
		<-arrived
	}
	for _, task := range sent {
		if err := task.Wait(t.Context()); err != nil {
			t.Errorf("%s: %v", task.ID(), err)
		}
	}
	app.RequireStop()
}

func TestAStopFinishesWhatIsOnItsWay(t *testing.T) {
	arrived, stopping := make(chan struct{}), make(chan struct{})
	app := newTestApp(t, unhurried, func(event string, _ int) (status int) {
		if event == "refunded" {
			return http.StatusServiceUnavailable
		}
		close(arrived)
		<-stopping
		return http.StatusNoContent
	})
	onItsWay := app.send(t, "paid")
	<-arrived
	waiting := app.send(t, "refunded")
	for event := range app.tasks.Subscribe(0).All(t.Context()) {
		if event.Kind == fxtasks.EventRetrying {
			break
		}
	}
	stopped := make(chan error, 1)
	go func() { stopped <- app.Stop(context.Background()) }()
	_ = waiting.Wait(t.Context()) // it ends when the stop begins
	close(stopping)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if status := onItsWay.Status(); status != fxtasks.Completed {
		t.Errorf("what was on its way is %v: %v", status, onItsWay.Err())
	}
	if status := waiting.Status(); status != fxtasks.Cancelled {
		t.Errorf("what waited for another attempt is %v: %v", status, waiting.Err())
	}
}

func TestTheScheduleReports(t *testing.T) {
	app := newTestApp(t, quick, func(_ string, n int) (status int) {
		if n == 1 {
			return http.StatusServiceUnavailable
		}
		return http.StatusNoContent
	})
	for _, event := range []string{"paid", "refunded"} {
		if err := app.send(t, event).Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	schedules := app.tasks.Periodics()
	if len(schedules) != 1 {
		t.Fatalf("%d schedules", len(schedules))
	}
	run, err := schedules[0].Trigger(t.Context())
	for errors.Is(err, fxtasks.ErrStillRunning) { // by itself, just now
		run, err = schedules[0].Trigger(t.Context())
	}
	if err == nil {
		err = run.Wait(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	reports := app.log.FilterMessage("webhooks").All()
	last := reports[len(reports)-1].ContextMap()
	for field, want := range map[string]any{
		"delivered": uint64(2), "refused": uint64(0), "tried again": uint64(2), "on their way": int64(0), "waiting": int64(0),
	} {
		if last[field] != want {
			t.Errorf("%q is %v, want %v", field, last[field], want)
		}
	}
	app.RequireStop()
}

// testApp is the application without its events.
type testApp struct {
	*fxtest.App
	tasks    *fxtasks.Manager
	receiver *Receiver
	webhooks *Webhooks
	log      *observer.ObservedLogs
}

// quick does not keep a test waiting.
var quick = Policy{300 * time.Millisecond, fxtasks.Retry{MaxAttempts: 6, Delay: fxtasks.Backoff(0, 0)}}

// unhurried leaves a test the time to look on.
var unhurried = Policy{time.Minute, fxtasks.Retry{MaxAttempts: 2, Delay: func(int) time.Duration { return time.Hour }}}

func newTestApp(t *testing.T, policy Policy, answers Answers) *testApp {
	t.Helper()
	app := new(testApp)
	var core zapcore.Core
	core, app.log = observer.New(zap.InfoLevel)
	app.App = fxtest.New(t,
		application(answers, policy),
		fx.Decorate(func() *zap.Logger { return zap.New(core) }),
		fx.Populate(&app.tasks, &app.receiver, &app.webhooks),
	)
	app.RequireStart()
	return app
}

func (app *testApp) send(t *testing.T, event string) *fxtasks.Task {
	t.Helper()
	task, err := app.webhooks.Send(t.Context(), event)
	if err != nil {
		t.Fatal(err)
	}
	return task
}
