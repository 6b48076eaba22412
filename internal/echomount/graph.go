package echomount

import (
	"fmt"
	"strings"

	"github.com/fxtasks/background/internal/dotgraph"
)

const echoType = "*echo.Echo" // as a graph shows it, whatever the major version

// Adapter tells one major version of Echo from the other.
type Adapter struct {
	Echo         string // import path
	OtherEcho    string
	OtherAdapter string
}

// MissingEcho explains why the application, of which graph is the fx.DotGraph, gives the adapter no
// *echo.Echo. Fx would say "missing type: *echo.Echo", also where the other major version's is there.
func (a Adapter) MissingEcho(graph string) error {
	g := dotgraph.Parse(graph)
	if !g.Gives(echoType) {
		return fmt.Errorf("no *echo.Echo of %s in the application: provide its echo.New (for %s there is %s)",
			a.Echo, a.OtherEcho, a.OtherAdapter)
	}
	if missing := g.Missing(echoType); len(missing) > 0 {
		return fmt.Errorf("the application's *echo.Echo cannot be built: nothing provides %s", strings.Join(missing, ", "))
	}
	return fmt.Errorf("the application's *echo.Echo is not the one of %s, which this adapter needs: for %s use %s",
		a.Echo, a.OtherEcho, a.OtherAdapter)
}
