package sqlite

// All SQL of this package. That on river_job rests on River's schema, which internal/conformance/schema_test.go pins. Times in our
// own tables are microseconds since 1970; River's are text.

const sqlTables = `
CREATE TABLE IF NOT EXISTS background_periodic (
	id   text PRIMARY KEY,
	last integer NOT NULL -- the period for which a job was inserted last
) STRICT;
CREATE TABLE IF NOT EXISTS background_progress (
	job_id       integer PRIMARY KEY,
	attempted_at integer NOT NULL, -- of the attempt that has reported it
	current      integer NOT NULL,
	total        integer NOT NULL,
	unit         text NOT NULL,
	message      text NOT NULL,
	updated_at   integer NOT NULL
) STRICT`

// sqlTablesThere fails unless the tables are there.
const sqlTablesThere = `SELECT count(*) FROM background_periodic, background_progress WHERE false`

const sqlTidyProgress = `
DELETE FROM background_progress WHERE job_id NOT IN (SELECT id FROM river_job)`

const sqlFirstPeriod = `INSERT INTO background_periodic (id, last) VALUES (?, ?) ON CONFLICT (id) DO NOTHING`

const sqlLastPeriod = `SELECT last FROM background_periodic WHERE id = ?`

const sqlClaimPeriod = `UPDATE background_periodic SET last = ? WHERE id = ? AND last = ?`

const sqlStoreProgress = `
INSERT INTO background_progress (job_id, attempted_at, current, total, unit, message, updated_at)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (job_id) DO UPDATE SET attempted_at = excluded.attempted_at, current = excluded.current, total = excluded.total,
	unit = excluded.unit, message = excluded.message, updated_at = excluded.updated_at
WHERE attempted_at <= excluded.attempted_at`

const sqlProgressOf = `
SELECT job_id, attempted_at, current, total, unit, message, updated_at
FROM background_progress WHERE job_id IN (SELECT value FROM json_each(?))`

const sqlCounts = `SELECT state, count(*) FROM river_job GROUP BY state`

const sqlNoteCancel = `
UPDATE river_job SET metadata = jsonb_set(metadata, '$."' || ? || '"', jsonb(?))
WHERE id = ? AND finalized_at IS NULL AND metadata -> '$.cancel_attempted_at' IS NULL`

const sqlOwners = `
SELECT DISTINCT attempted_by ->> '$[#-1]' FROM river_job WHERE state = 'running'`

const sqlOwned = `
SELECT id, attempt FROM river_job WHERE state = 'running' AND attempted_by ->> '$[#-1]' = ?`

// sqlGiveBack makes available again, with the attempt refunded; a job that is being cancelled is.
const sqlGiveBack = `
UPDATE river_job SET
	state        = CASE WHEN metadata -> '$.cancel_attempted_at' IS NULL THEN 'available' ELSE 'cancelled' END,
	finalized_at = CASE WHEN metadata -> '$.cancel_attempted_at' IS NULL THEN NULL ELSE datetime('now', 'subsec') END,
	attempt      = max(attempt - 1, 0),
	scheduled_at = datetime('now', 'subsec')
WHERE id = ? AND attempt = ? AND state = 'running' AND attempted_by ->> '$[#-1]' = ?`

// sqlRecover ends the attempts of a dead replica as River's rescuer would: available again, or discarded after
// the last attempt, or cancelled.
const sqlRecover = `
UPDATE river_job SET
	state        = CASE WHEN metadata -> '$.cancel_attempted_at' IS NOT NULL THEN 'cancelled'
		WHEN attempt < max_attempts THEN 'available' ELSE 'discarded' END,
	finalized_at = CASE WHEN metadata -> '$.cancel_attempted_at' IS NULL AND attempt < max_attempts THEN NULL
		ELSE datetime('now', 'subsec') END,
	scheduled_at = CASE WHEN metadata -> '$.cancel_attempted_at' IS NULL AND attempt < max_attempts
		THEN datetime('now', 'subsec') ELSE scheduled_at END,
	errors       = jsonb_insert(coalesce(errors, jsonb('[]')), '$[#]', jsonb_object(
		'at', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), 'attempt', attempt,
		'error', 'the replica ' || (attempted_by ->> '$[#-1]') || ' died while it ran this job', 'trace', ''))
WHERE state = 'running' AND attempted_by ->> '$[#-1]' = ?`
