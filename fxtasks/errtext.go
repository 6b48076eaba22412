package fxtasks

import (
	"errors"
	"fmt"
	"reflect"
)

// The texts of errors and of what was given to panic are the user's code. They are made once, when
// the task ends, on its goroutine, and guarded. Lists, logs and HTTP show what was made.

// failure is why a task did not complete.
type failure struct {
	err  error
	text string
}

// errorText gives err.Error(), or the type of err if that panics. It does not return if Error calls
// runtime.Goexit.
func errorText(err error) (text string) {
	defer func() {
		if recover() != nil {
			text = typeText(err)
		}
	}()
	return err.Error()
}

// panicText gives the text of what was given to panic. What is no error, Stringer, string or number
// gives its type: it may refer to itself, or be changed meanwhile, and to print it would then end the process.
func panicText(v any) (text string) {
	defer func() {
		if recover() != nil {
			text = panicTypeText(v)
		}
	}()
	switch x := v.(type) {
	case error:
		return panicPrefix + x.Error()
	case fmt.Stringer:
		return panicPrefix + x.String()
	}
	switch k := reflect.ValueOf(v).Kind(); {
	case k == reflect.String, k >= reflect.Int && k <= reflect.Complex128:
		return panicPrefix + fmt.Sprint(v)
	default:
		return panicTypeText(v)
	}
}

const panicPrefix = "fxtasks: task panicked: "

func panicTypeText(v any) string { return panicPrefix + typeText(v) }

func typeText(v any) string { return fmt.Sprintf("%T", v) }

// textOf gives the text of a task's error. For an endError it makes that from its parts.
func textOf(err error) string {
	switch e := err.(type) {
	case *endError:
		e.text = endText(e)
		return e.text
	case *PanicError:
		if e.text != "" {
			return e.text
		}
	}
	return errorText(err)
}

func endText(e *endError) string {
	why := errorText(e.cause)
	if e.returned == nil {
		return why
	}
	what := textOf(e.returned)
	if why == what {
		return why
	}
	return why + ": " + what
}

// unprintable stands in for the text of an error whose Error method calls runtime.Goexit.
func unprintable(err error) string {
	switch e := err.(type) {
	case *endError:
		e.text = typeText(errors.Join(e.cause, e.returned))
		return e.text
	case *PanicError:
		if e.text != "" {
			return e.text
		}
	}
	return typeText(err)
}
