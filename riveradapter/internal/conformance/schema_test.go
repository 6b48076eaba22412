package conformance

import (
	"slices"
	"strings"
	"testing"

	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
)

// Our SQL on river_job was written for this version of River's schema. When this test fails, River has changed
// it: read the new migrations against sql.go of both databases, and then change what is here.
const schemaVersion = 8

func TestOurSQLWasWrittenForThisSchemaOfRiver(t *testing.T) {
	columns := map[bool][]string{
		false: {
			"args jsonb", "attempt smallint", "attempted_at timestamp with time zone", "attempted_by ARRAY",
			"created_at timestamp with time zone", "errors ARRAY", "finalized_at timestamp with time zone", "id bigint",
			"kind text", "max_attempts smallint", "metadata jsonb", "priority smallint", "queue text",
			"scheduled_at timestamp with time zone", "state USER-DEFINED", "tags ARRAY", "unique_key bytea", "unique_states bit",
		},
		true: {
			"args blob", "attempt integer", "attempted_at timestamp", "attempted_by blob", "created_at timestamp", "errors blob",
			"finalized_at timestamp", "id integer", "kind text", "max_attempts integer", "metadata blob", "priority integer",
			"queue text", "scheduled_at timestamp", "state text", "tags blob", "unique_key blob", "unique_states integer",
		},
	}
	onBoth(t, func(t *testing.T, s *store) {
		start(t, s, quick("a"), nothing())
		query := `SELECT column_name || ' ' || data_type FROM information_schema.columns WHERE table_name = 'river_job'`
		if s.isSQLite() {
			query = `SELECT name || ' ' || lower(type) FROM pragma_table_info('river_job')`
		}
		rows, err := s.db.Query(query)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		var got []string
		for rows.Next() {
			var column string
			if err := rows.Scan(&column); err != nil {
				t.Fatal(err)
			}
			got = append(got, column)
		}
		slices.Sort(got)
		if want := columns[s.isSQLite()]; !slices.Equal(got, want) {
			t.Errorf("river_job has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
	onPostgres, err := rivermigrate.New(riverpgxv5.New(nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	onSQLite, err := rivermigrate.New(riversqlite.New(nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	for database, versions := range map[string][]rivermigrate.Migration{"PostgreSQL": onPostgres.AllVersions(), "SQLite": onSQLite.AllVersions()} {
		if latest := versions[len(versions)-1].Version; latest != schemaVersion {
			t.Errorf("on %s River's schema has version %d, not %d", database, latest, schemaVersion)
		}
	}
}
