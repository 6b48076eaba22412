package background

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/internal/dotgraph"
)

// misprovided shows what looks as if it were meant for the module and would not reach it. All is
// optional, as the module needs none of it.
type misprovided struct {
	fx.In

	Config     fxtasks.Config       `optional:"true"`
	Logger     *zap.Logger          `optional:"true"`
	Middleware []fxtasks.Middleware `optional:"true"`

	ConfigPointer *fxtasks.Config                   `optional:"true"`
	OneMiddleware fxtasks.Middleware                `optional:"true"`
	OneFunction   func(fxtasks.Func) fxtasks.Func   `optional:"true"`
	Functions     []func(fxtasks.Func) fxtasks.Func `optional:"true"`

	// Graph shows what dig's optional passes over: what is provided but cannot be built.
	Graph fx.DotGraph `optional:"true"`
}

// check returns an error that names each thing of the graph which is meant for the module and would
// not reach it, and its fix.
func (m misprovided) check() error {
	g := dotgraph.Parse(string(m.Graph))
	return errors.Join(
		checkUsed[*fxtasks.Config](g, m.ConfigPointer != nil,
			"provide or supply an fxtasks.Config, not a pointer to one"),
		checkUsed[fxtasks.Middleware](g, m.OneMiddleware != nil,
			"provide a []fxtasks.Middleware, or add it with background.Instrument"),
		checkUsed[func(fxtasks.Func) fxtasks.Func](g, m.OneFunction != nil,
			"provide a []fxtasks.Middleware, or give it as an fxtasks.Middleware to background.Instrument"),
		checkUsed[[]func(fxtasks.Func) fxtasks.Func](g, m.Functions != nil,
			"provide a []fxtasks.Middleware"),
		checkBuilt[fxtasks.Config](g, m.Config != fxtasks.Config{}),
		checkBuilt[*zap.Logger](g, m.Logger != nil),
		checkBuilt[[]fxtasks.Middleware](g, m.Middleware != nil),
	)
}

// checkUsed returns an error if the graph has a T, unless what the module takes is made from it.
func checkUsed[T any](g dotgraph.Graph, built bool, fix string) error {
	name := typeName[T]()
	if !built && len(g.Missing(name)) == 0 {
		return nil
	}
	for _, taken := range []string{
		typeName[fxtasks.Config](),
		typeName[[]fxtasks.Middleware](),
		dotgraph.Group(typeName[fxtasks.Middleware](), instrumentsGroup),
	} {
		if g.Takes(taken, name) {
			return nil
		}
	}
	return fmt.Errorf("%w: the graph has a %s, which background.Module does not use: %s", fxtasks.ErrInvalid, name, fix)
}

// checkBuilt returns an error if the graph has a constructor for T whose parameters are missing.
func checkBuilt[T any](g dotgraph.Graph, built bool) error {
	missing := g.Missing(typeName[T]())
	if built || len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("%w: the graph has a constructor for %s, which background.Module uses, but it cannot be called: provide %s",
		fxtasks.ErrInvalid, typeName[T](), strings.Join(missing, ", "))
}

func typeName[T any]() string { return reflect.TypeFor[T]().String() }
