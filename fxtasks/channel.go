package fxtasks

import "context"

// awaitClosed blocks until done is closed. It returns ctx's error if ctx ends first.
func awaitClosed(ctx context.Context, done <-chan struct{}) error {
	if ctx.Done() == nil { // to submit and wait takes 3 % less time than with select
		<-done
		return nil
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		if isClosed(done) { // both have happened: done takes precedence
			return nil
		}
		return ctx.Err()
	}
}

// isClosed reports whether c is closed, which a nil channel is not.
func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

var closedChan = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()
