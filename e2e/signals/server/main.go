// Server is the application that the signals in these tests are sent to: Fx and Echo, wired as the
// README has it, with tasks that behave and tasks that do not. All that it has to tell, it logs.
package main

import (
	"flag"
	"os"
	"time"

	"go.uber.org/fx"
	"go.uber.org/fx/fxevent"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/fxtasks/background"
	"github.com/fxtasks/background/echoadapter"
	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/httpapi"
)

func main() {
	var limits fxtasks.Config
	flag.IntVar(&limits.MaxRunning, "max-running", 0, "tasks at a time")
	flag.DurationVar(&limits.ShutdownTimeout, "shutdown-timeout", 0, "")
	flag.DurationVar(&limits.DrainGrace, "drain-grace", 0, "")
	flag.DurationVar(&limits.StopReserve, "stop-reserve", 0, "")
	stopTimeout := flag.Duration("stop-timeout", 15*time.Second, "of Fx")
	var order stopOrder
	flag.BoolVar((*bool)(&order), "server-last", false, "stop the server last, as the hook of a constructor does")
	flag.Parse()

	app := fx.New(
		fx.StopTimeout(*stopTimeout),
		fx.Supply(limits, order),
		fx.Supply(echoadapter.Config{API: httpapi.Config{AllowUnauthenticated: true}}), // on a loopback address
		fx.Provide(newLogger, openStore, newEcho),
		background.Module,
		background.Uses[*store](), // else it is closed before the drain: the adapter has the manager built first
		echoadapter.Module,
		fx.Invoke(register, startServer),
		fx.WithLogger(newFxLogger),
	)
	app.Wait() // subscribes to signals. Run does so only after the last start hook: one that came before would kill
	app.Run()
}

// newLogger makes a logger that loses no line: no sampling, no buffer.
func newLogger() *zap.Logger {
	return zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.Lock(os.Stderr), zap.DebugLevel))
}

// newFxLogger makes Fx tell what goes wrong, and keep to itself how it is wired.
func newFxLogger(log *zap.Logger) fxevent.Logger {
	return &fxevent.ZapLogger{Logger: log.Named("fx").WithOptions(zap.IncreaseLevel(zap.WarnLevel))}
}
