package fxtasks

import (
	"fmt"
	"reflect"
)

// The methods that give the text of an error, or of a value given to panic, are the user's code. Each text is
// made once, where a panic or runtime.Goexit in it loses nothing: on the goroutine of the task when its attempt
// ends, or on a goroutine of its own. Lists, logs and HTTP show the text that was made.

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

// isolatedErrorText is errorText on a goroutine of its own, for a caller whose goroutine must not be ended. If
// Error calls runtime.Goexit, it returns the type of err.
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

// valueText returns the text of a value given to panic: that of an error, Stringer, string or number, and the
// type of any other. To print another one would end the process if it refers to itself, or is changed meanwhile.
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
	case fmt.Formatter: // fmt would call it, and give its panic as the text
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
