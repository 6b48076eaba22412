package main

import (
	"context"
	"fmt"
	"io"
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
	client := &http.Client{Timeout: serverStopTimeout, Transport: new(http.Transport)}
	lc.Append(fx.StartStopHook(
		func() {
			go func() {
				defer close(stopped)
				defer client.CloseIdleConnections() // the server's stop would wait for one that has sent nothing yet
				for n := 1; pause(ctx, time.Second/time.Duration(flags.Load)) == nil; n++ {
					if err := order(client, server.URL, n); err != nil {
						log.Warn("an order is lost", zap.Error(err))
					}
				}
			}()
		},
		func() { stop(); <-stopped },
	))
	return nil
}

func order(client *http.Client, url string, n int) error {
	response, err := client.Post(url+"/orders", "application/json", strings.NewReader(fmt.Sprintf(`{"id":"L-%d"}`, n)))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body) // so that the connection can be used again
	return err
}
