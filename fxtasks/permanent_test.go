package fxtasks

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"testing"
)

func TestPermanentIsTransparent(t *testing.T) {
	if err := Permanent(nil); err != nil {
		t.Errorf("Permanent(nil) = %v", err)
	}
	path := &fs.PathError{Op: "open", Path: "a", Err: fs.ErrNotExist}
	err := Permanent(path)
	if err.Error() != path.Error() {
		t.Errorf("the text is %q, want %q", err, path)
	}
	if errors.Unwrap(err) != error(path) {
		t.Errorf("Unwrap gives %v", errors.Unwrap(err))
	}
	var found *fs.PathError
	if !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &found) || found != path {
		t.Error("errors.Is and errors.As do not see the error in it")
	}
}

func TestPermanentIsFoundInWrapsAndJoins(t *testing.T) {
	permanent := Permanent(io.EOF)
	for name, test := range map[string]struct {
		err  error
		want bool
	}{
		"nil":               {nil, false},
		"another":           {io.EOF, false},
		"itself":            {permanent, true},
		"of a permanent":    {Permanent(permanent), true},
		"wrapped":           {fmt.Errorf("a: %w", fmt.Errorf("b: %w", permanent)), true},
		"wrapped with more": {fmt.Errorf("%w, %w", io.ErrNoProgress, permanent), true},
		"joined":            {errors.Join(io.ErrNoProgress, nil, fmt.Errorf("a: %w", permanent)), true},
		"joined others":     {errors.Join(io.ErrNoProgress, io.EOF), false},
		"only as text":      {fmt.Errorf("a: %v", permanent), false},
		"given to panic":    {&PanicError{Value: permanent}, true},
	} {
		if got := isPermanent(test.err); got != test.want {
			t.Errorf("%s: isPermanent is %v, want %v", name, got, test.want)
		}
	}
}
