package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"go.uber.org/fx"
	"go.uber.org/zap"
)

// StartTraffic sends the server orders, with the flag -load, until the stop begins.
func StartTraffic(lc fx.Lifecycle, log *zap.Logger, flags Flags, server *Server) error {
	switch {
	case flags.Load < 0:
		return fmt.Errorf("-load is %d: must not be negative", flags.Load)
	case flags.Load == 0:
		return nil
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	lc.Append(fx.StartStopHook(
		func() {
			go func() {
				defer close(stopped)
				for n := 1; pause(ctx, time.Second/time.Duration(flags.Load)) == nil; n++ {
					if err := order(ctx, server.URL, n); err != nil && ctx.Err() == nil {
						log.Warn("an order is lost", zap.Error(err))
					}
				}
			}()
		},
		func() { stop(); <-stopped },
	))
	return nil
}

func order(ctx context.Context, url string, n int) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/orders", strings.NewReader(fmt.Sprintf(`{"id":"L-%d"}`, n)))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}
