//go:build unix

package telemetry_test

import (
	"encoding/json"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
)

// dashboard is what the tests read of docs/grafana.json.
type dashboard struct {
	ID         *int
	UID        string
	Title      string
	Panels     []panel
	Templating struct {
		List []struct{ Name, Type, Definition string }
	}
}

type panel struct {
	ID          int
	Type        string
	Title       string
	Description string
	GridPos     struct{ X, Y, W, H int }
	Targets     []struct{ Expr string }
}

func readDashboard(t *testing.T) (d dashboard, text []byte) {
	t.Helper()
	text, err := os.ReadFile("../../docs/grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return d, text
}

// An ID, or the uid of a data source, is one of the Grafana from which a dashboard was exported.
func TestTheDashboardFitsAnEmptyGrafana(t *testing.T) {
	d, text := readDashboard(t)
	if d.ID != nil || d.UID != "" || d.Title == "" {
		t.Errorf("id %v, uid %q, title %q", d.ID, d.UID, d.Title)
	}
	for _, uid := range regexp.MustCompile(`"uid": "([^"]*)"`).FindAllSubmatch(text, -1) {
		if string(uid[1]) != "${datasource}" {
			t.Errorf("there is a uid %q", uid[1])
		}
	}
	if v := d.Templating.List; len(v) == 0 || v[0].Name != "datasource" || v[0].Type != "datasource" {
		t.Errorf("the first variable is not the data source: %+v", v)
	}
	ids, cells := map[int]bool{}, map[[2]int]string{}
	for _, p := range d.Panels {
		if ids[p.ID] || p.Type != "row" && p.Description == "" {
			t.Errorf("panel %q: its ID %d is another's, or it has no description", p.Title, p.ID)
		}
		ids[p.ID] = true
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				cell := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				if cells[cell] != "" || cell[0] >= 24 {
					t.Fatalf("panel %q lies over %q, or beyond the edge", p.Title, cells[cell])
				}
				cells[cell] = p.Title
			}
		}
	}
}

// variables are set as Grafana sets them where all jobs and instances are chosen.
var variables = strings.NewReplacer("$job", ".+", "$instance", ".+", "$__rate_interval", "15s")

var labelValues = regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)

func TestEveryQueryOfTheDashboardGivesData(t *testing.T) {
	shop, address := startShop(t, "50")
	p := startPrometheus(t, address)
	d, _ := readDashboard(t)

	queries := 0
	for _, panel := range d.Panels {
		for _, target := range panel.Targets {
			queries++
			expr := variables.Replace(target.Expr)
			p.Until(panel.Title+" has data: "+expr, func() bool { return len(p.query(expr)) > 0 })
		}
	}
	if queries < 20 {
		t.Errorf("the dashboard has %d queries", queries)
	}
	for _, v := range d.Templating.List {
		if v.Type != "query" {
			continue
		}
		m := labelValues.FindStringSubmatch(v.Definition)
		if m == nil {
			t.Fatalf("the variable %s is %q", v.Name, v.Definition)
		}
		var values struct{ Data []string }
		p.ask("/api/v1/label/"+m[2]+"/values?"+url.Values{"match[]": {variables.Replace(m[1])}}.Encode(), &values)
		if len(values.Data) != 1 {
			t.Errorf("the variable %s offers %q, want one", v.Name, values.Data)
		}
	}
	checkRulesEvaluate(t, p)
	shop.Stop()
}
