package replica

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	background "github.com/fxtasks/background"
	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/internal/dotgraph"
	"github.com/fxtasks/background/riveradapter"
)

// check gives an error that names what is meant for the module and would not reach it: a pointer to a Config,
// and what has a constructor whose parameters are missing, which dig's optional passes over.
func (d Dependencies) check() error {
	g := dotgraph.Parse(string(d.Graph))
	const config, pointer = "riveradapter.Config", "*riveradapter.Config"
	var errs []error
	if (d.ConfigPointer != nil || len(g.Missing(pointer)) > 0) && !g.Takes(config, pointer) {
		errs = append(errs, fmt.Errorf("%w: riveradapter: the graph has a %s: supply it by value, %s", fxtasks.ErrInvalid, pointer, config))
	}
	return errors.Join(append(errs,
		checkBuilt[riveradapter.Config](g, !reflect.ValueOf(d.Config).IsZero()),
		checkBuilt[background.Propagator](g, d.Propagator != nil),
	)...)
}

func checkBuilt[T any](g dotgraph.Graph, built bool) error {
	name := reflect.TypeFor[T]().String()
	missing := g.Missing(name)
	if built || len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("%w: riveradapter: the graph has a constructor for %s, but it cannot be called: provide %s",
		fxtasks.ErrInvalid, name, strings.Join(missing, ", "))
}
