package fxtasks

import (
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

// errorText returns err.Error(), or the type of err if that panics. It does not return if Error calls
// runtime.Goexit.
func errorText(err error) (text string) {
	defer func() {
		if recover() != nil {
			text = typeText(err)
		}
	}()
	return err.Error()
}

// isolatedErrorText is errorText on a goroutine of its own, for a caller whose goroutine must not be ended: an
// Error that calls runtime.Goexit gives the type, too.
func isolatedErrorText(err error) string {
	made := make(chan string, 1)
	go func() {
		text := typeText(err)
		defer func() { made <- text }()
		text = errorText(err)
	}()
	return <-made
}

// panicText returns the text of an error for a task that panicked with v.
func panicText(v any) string { return panicPrefix + valueText(v) }

const panicPrefix = "fxtasks: task panicked: "

func panicTypeText(v any) string { return panicPrefix + typeText(v) }

// valueText returns the text of what was given to panic. What is no error, Stringer, string or number
// gives its type: it may refer to itself, or be changed meanwhile, and to print it would then end the process.
func valueText(v any) (text string) {
	defer func() {
		if recover() != nil {
			text = typeText(v)
		}
	}()
	switch x := v.(type) {
	case error:
		return x.Error()
	case fmt.Stringer:
		return x.String()
	case fmt.Formatter: // fmt would call it, and show its panic as if that were the text
		return typeText(v)
	}
	switch k := reflect.ValueOf(v).Kind(); {
	case k == reflect.String, k >= reflect.Int && k <= reflect.Complex128:
		return fmt.Sprint(v)
	default:
		return typeText(v)
	}
}

func typeText(v any) string { return fmt.Sprintf("%T", v) }
