package fxtasks

import "errors"

// Permanent returns an error that ends a task without another attempt, whatever its Retry says. A task's
// function returns it where trying again cannot help, as it is or wrapped, by fmt.Errorf with %w or by
// errors.Join. Its text is that of err, and Unwrap returns err. Permanent(nil) is nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

// isPermanent reports whether Permanent made err, or an error that err wraps. It calls the user's Unwrap and
// As methods.
func isPermanent(err error) bool {
	_, ok := errors.AsType[*permanentError](err)
	return ok
}
