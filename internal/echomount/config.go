package echomount

import (
	"fmt"
	"strings"

	"go.uber.org/zap"

	"github.com/fxtasks/background/httpapi"
	"github.com/fxtasks/background/internal/dotgraph"
)

// APIConfig returns cfg with the logger and the jobs of the application, of which graph is the fx.DotGraph, unless
// it has its own. It fails if the application provides jobs that cannot be built: Fx takes an optional type for
// absent then, in silence.
func APIConfig(cfg httpapi.Config, log *zap.Logger, jobs httpapi.Jobs, graph string) (httpapi.Config, error) {
	if cfg.Logger == nil && log != nil {
		cfg.Logger = log.Named("background")
	}
	if cfg.Jobs == nil {
		cfg.Jobs = jobs
	}
	if cfg.Jobs == nil {
		if missing := dotgraph.Parse(graph).Missing("httpapi.Jobs"); len(missing) > 0 {
			return cfg, fmt.Errorf("the application's httpapi.Jobs cannot be built: nothing provides %s", strings.Join(missing, ", "))
		}
	}
	return cfg, nil
}
