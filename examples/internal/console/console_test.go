package console_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/fxtasks/background/examples/internal/console"
)

func TestFxTellsTheCauseOfAFailedStartAndNotHowItIsWired(t *testing.T) {
	core, logs := observer.New(zap.DebugLevel)
	cause := errors.New("port is taken")
	app := fx.New(
		fx.WithLogger(func() fxevent.Logger { return console.NewFxLogger(zap.New(core)) }),
		fx.Provide(func() (int, error) { return 0, cause }),
		fx.Provide(func(int) string { return "" }),
		fx.Invoke(func(string) {}),
	)
	console.NewFxLogger(zap.New(core)).LogEvent(&fxevent.Started{Err: app.Err()})
	lines := logs.All()
	if len(lines) != 1 || lines[0].Message != "cannot start" || lines[0].ContextMap()["error"] != cause.Error() {
		t.Errorf("the log has %v, want one line with the cause", lines)
	}
}

func TestFxTellsOfTheSignalThatStopsIt(t *testing.T) {
	core, logs := observer.New(zap.DebugLevel)
	console.NewFxLogger(zap.New(core)).LogEvent(&fxevent.Stopping{Signal: os.Interrupt})
	if lines := logs.All(); len(lines) != 1 || !strings.Contains(lines[0].ContextMap()["signal"].(string), "interrupt") {
		t.Errorf("the log has %v, want one line with the signal", lines)
	}
}
