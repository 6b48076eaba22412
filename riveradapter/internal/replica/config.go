package replica

import (
	"fmt"
	"log/slog"
	"maps"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"go.uber.org/zap"
	"go.uber.org/zap/exp/zapslog"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/riveradapter"
)

const (
	defaultWorkers   = 100
	defaultHeartbeat = 5 * time.Second
	minHeartbeat     = 100 * time.Millisecond
)

// withDefaults fills in what cfg leaves out, and checks the rest.
func withDefaults(cfg riveradapter.Config) (riveradapter.Config, error) {
	if cfg.Queues == nil {
		cfg.Queues = map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: defaultWorkers}}
	}
	cfg.Queues = maps.Clone(cfg.Queues)
	if cfg.Heartbeat == 0 {
		cfg.Heartbeat = defaultHeartbeat
	}
	if cfg.Heartbeat < minHeartbeat {
		return cfg, fmt.Errorf("%w: riveradapter: Config.Heartbeat is %v: must be at least %v", fxtasks.ErrInvalid, cfg.Heartbeat, minHeartbeat)
	}
	if cfg.Migrate > riveradapter.Off {
		return cfg, fmt.Errorf("%w: riveradapter: Config.Migrate is %d: no such way", fxtasks.ErrInvalid, cfg.Migrate)
	}
	instance, err := instanceName(cfg.Instance)
	cfg.Instance = instance
	return cfg, err
}

// riverConfig makes River's configuration of cfg, and lets Configure change it.
func riverConfig(cfg riveradapter.Config, id string, workers *river.Workers, ours rivertype.Middleware, log *zap.Logger) (*river.Config, error) {
	rc := &river.Config{
		ID:         id,
		Workers:    workers,
		Queues:     maps.Clone(cfg.Queues),
		Middleware: []rivertype.Middleware{ours},
		Logger:     riverLogger(log),
	}
	if len(rc.Queues) == 0 { // it inserts only, and so need not have workers
		rc.Queues, rc.SkipUnknownJobCheck = nil, true
	}
	if cfg.Configure == nil {
		return rc, nil
	}
	queues := maps.Clone(rc.Queues)
	cfg.Configure(rc)
	//lint:ignore SA1019 River refuses these beside Middleware, and does not say that it is ours
	deprecated := len(rc.JobInsertMiddleware) + len(rc.WorkerMiddleware)
	for _, field := range []struct {
		name, instead string
		changed       bool
	}{
		{"ID", "Config.Instance names the replica", rc.ID != id},
		{"Workers", "riveradapter.Worker adds workers", rc.Workers != workers},
		{"Queues", "Config.Queues sets them", !maps.Equal(rc.Queues, queues)},
		{"SoftStopTimeout", "Config.DrainGrace sets how long jobs may go on", rc.SoftStopTimeout != 0},
		{"Middleware", "append to what is there, without the deprecated JobInsertMiddleware and WorkerMiddleware",
			len(rc.Middleware) == 0 || rc.Middleware[0] != ours || deprecated > 0},
	} {
		if field.changed {
			return nil, fmt.Errorf("%w: riveradapter: Config.Configure has changed %s: %s", fxtasks.ErrInvalid, field.name, field.instead)
		}
	}
	return rc, nil
}

// riverLogger gives River's warnings and errors to log, as River by itself would write them: its other lines
// say again what the tasks' lines say.
func riverLogger(log *zap.Logger) *slog.Logger {
	return slog.New(zapslog.NewHandler(log.WithOptions(zap.IncreaseLevel(zap.WarnLevel)).Core(), zapslog.WithName("river")))
}
