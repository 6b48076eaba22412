package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/fxtasks/background/fxtasks"
)

// askBank stands for a call of a service that is slow, fails, and hangs now and then.
func askBank(ctx context.Context) error {
	if err := pause(ctx, time.Duration(5+rand.IntN(95))*time.Millisecond); err != nil {
		return err
	}
	switch n := rand.IntN(100); {
	case n < 10:
		return errors.New("bank: POST /charges: 502 Bad Gateway")
	case n < 13:
		return fxtasks.Permanent(errors.New("bank: the card is declined"))
	case n < 15:
		return pause(ctx, time.Hour) // it hangs
	}
	return nil
}

// pause waits for d, or gives why ctx has ended.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
