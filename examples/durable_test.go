//go:build unix

package examples

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// durableStubs is what the snippets of docs/durable.md take for granted.
const durableStubs = `
type Reports struct {
	tasks   *fxtasks.Manager
	jobs    riveradapter.Client
	adapter *echoadapter.Adapter
}
func (r *Reports) build(ctx context.Context, name string) error { return nil }
type Builder struct{}
func (*Builder) Build(ctx context.Context, name string) error { return nil }
type Purge struct { Before time.Time }
func (Purge) Kind() string { return "purge" }
func main() {}
`

// The snippets of docs/durable.md make one program, once its diffs are applied.
func TestTheSnippetsOfDurableJobsCompile(t *testing.T) {
	const page = "../docs/durable.md"
	files := map[string]string{"stubs.go": goFile(durableStubs)}
	for i, block := range blocksOf(t, page, "go") {
		switch {
		case strings.Contains(block, "riverui."): // a module that is not one of ours
			continue
		case regexp.MustCompile(`^(func|type) `).MatchString(block):
			block = strings.Replace(block, ") Create(", ") CreateTask(", 1) // which a diff replaces
		default:
			block = "func _(ctx context.Context, pool *pgxpool.Pool, client *river.Client[pgx.Tx]) error {\n" + block + "\nreturn nil\n}"
		}
		files[fmt.Sprintf("snippet%d.go", i)] = goFile(block)
	}
	removed := regexp.MustCompile(`(?m)^-.*\n?`)
	margin := regexp.MustCompile(`(?m)^[+ ]`)
	for i, diff := range blocksOf(t, page, "diff") {
		after := margin.ReplaceAllString(removed.ReplaceAllString(diff, ""), "")
		if strings.HasPrefix(after, "\t") { // options of fx.New
			after = "var _ = fx.Options(\n" + after + "\n)"
		}
		files[fmt.Sprintf("diff%d.go", i)] = goFile(after)
	}
	build(t, files)
}
