// Package console gives the examples a log that is pleasant to read in a terminal.
package console

import (
	"os"

	"go.uber.org/dig"
	"go.uber.org/fx/fxevent"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// NewLogger makes a logger that writes one line for each entry to standard error, from debug level
// on: the end of each task is logged there.
func NewLogger() *zap.Logger {
	format := zap.NewDevelopmentEncoderConfig()
	format.EncodeTime = zapcore.TimeEncoderOfLayout("15:04:05.000")
	format.ConsoleSeparator = "  "
	return zap.New(zapcore.NewCore(zapcore.NewConsoleEncoder(format), zapcore.Lock(os.Stderr), zap.DebugLevel))
}

// NewFxLogger makes Fx tell when the application starts and stops and what goes wrong, and keep to
// itself how it is wired.
func NewFxLogger(log *zap.Logger) fxevent.Logger { return fxLogger{log.Named("fx")} }

type fxLogger struct{ log *zap.Logger }

func (l fxLogger) LogEvent(event fxevent.Event) {
	switch e := event.(type) {
	case *fxevent.Started:
		if e.Err != nil { // less the path through the constructors to the one that failed
			l.log.Error("cannot start", zap.Error(dig.RootCause(e.Err)))
			return
		}
		l.log.Info("started")
	case *fxevent.Stopping:
		l.log.Info("stopping", zap.Stringer("signal", e.Signal))
	case *fxevent.Stopped:
		if e.Err != nil {
			l.log.Error("stopped with an error", zap.Error(e.Err))
			return
		}
		l.log.Info("stopped")
	}
}
