package background

import (
	"fmt"
	"reflect"

	"go.uber.org/fx"

	"github.com/fxtasks/background/fxtasks"
)

// Instrument adds a middleware to the manager, for modules that trace or measure tasks. The
// constructor takes what it needs from the graph and returns an fxtasks.Middleware, or one and an error;
// any other function is an error of fx.New.
//
// Any number of modules may add one. They run outside of Params.Middleware, in no promised order.
// What the constructor is given is built before the manager, and so closed after the drain.
func Instrument(constructor any) fx.Option {
	if err := checkConstructor[fxtasks.Middleware](constructor); err != nil {
		return fx.Error(fmt.Errorf("background.Instrument: %w", err))
	}
	return fx.Provide(fx.Annotated{Group: instrumentsGroup, Target: constructor})
}

// instrumentsGroup is the value group of Params.Instruments.
const instrumentsGroup = "background.instruments"

// checkConstructor checks that the function returns a T, or a T and an error.
func checkConstructor[T any](constructor any) error {
	t, want := reflect.TypeOf(constructor), reflect.TypeFor[T]()
	ok := t != nil && t.Kind() == reflect.Func && !reflect.ValueOf(constructor).IsNil() &&
		(t.NumOut() == 1 || t.NumOut() == 2 && t.Out(1) == reflect.TypeFor[error]()) &&
		t.Out(0) == want
	if ok {
		return nil
	}
	return fmt.Errorf("%w: constructor is %T, want a function that gives %v or (%v, error)", fxtasks.ErrInvalid, constructor, want, want)
}
