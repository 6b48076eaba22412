package postgres

// All SQL of this package. That on river_job rests on River's schema, which internal/conformance/schema_test.go pins; {schema} is
// the schema's name and a dot, or nothing.

const sqlTables = `
CREATE TABLE IF NOT EXISTS {schema}background_replica (
	id         text PRIMARY KEY, -- River's client ID
	expires_at timestamptz NOT NULL
);
CREATE TABLE IF NOT EXISTS {schema}background_periodic (
	id   text PRIMARY KEY,
	last timestamptz NOT NULL -- the period for which a job was inserted last
);
CREATE TABLE IF NOT EXISTS {schema}background_progress (
	job_id       bigint PRIMARY KEY,
	attempted_at timestamptz NOT NULL, -- of the attempt that has reported it
	current      bigint NOT NULL,
	total        bigint NOT NULL,
	unit         text NOT NULL,
	message      text NOT NULL,
	updated_at   timestamptz NOT NULL
)`

// sqlLockMigration blocks until no other replica migrates. The transaction is idle while River migrates.
const sqlLockMigration = `
SET LOCAL idle_in_transaction_session_timeout = 0;
SELECT pg_advisory_xact_lock(7089056601406074468)`

// sqlTablesThere fails unless the tables are there.
const sqlTablesThere = `
SELECT FROM {schema}background_replica, {schema}background_periodic, {schema}background_progress LIMIT 0`

const sqlBeat = `
INSERT INTO {schema}background_replica (id, expires_at)
VALUES ($1, clock_timestamp() + $2::interval)
ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at`

const sqlLeave = `DELETE FROM {schema}background_replica WHERE id = $1`

const sqlTidyReplicas = `
DELETE FROM {schema}background_replica WHERE expires_at < clock_timestamp() - interval '1 hour'`

const sqlTidyProgress = `
DELETE FROM {schema}background_progress p
WHERE NOT EXISTS (SELECT FROM {schema}river_job job WHERE job.id = p.job_id)`

const sqlLastPeriod = `
WITH added AS (
	INSERT INTO {schema}background_periodic (id, last) VALUES ($1, clock_timestamp())
	ON CONFLICT (id) DO NOTHING
	RETURNING last
)
SELECT last FROM added UNION ALL SELECT last FROM {schema}background_periodic WHERE id = $1`

const sqlClaimPeriod = `
UPDATE {schema}background_periodic SET last = $3
WHERE id = $1 AND last = $2 AND $3 <= clock_timestamp()`

const sqlStoreProgress = `
INSERT INTO {schema}background_progress (job_id, attempted_at, current, total, unit, message, updated_at)
SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::timestamptz[])
ON CONFLICT (job_id) DO UPDATE SET attempted_at = excluded.attempted_at, current = excluded.current, total = excluded.total,
	unit = excluded.unit, message = excluded.message, updated_at = excluded.updated_at
WHERE background_progress.attempted_at <= excluded.attempted_at`

const sqlProgressOf = `
SELECT p.job_id, p.attempted_at, p.current, p.total, p.unit, p.message, p.updated_at
FROM {schema}background_progress p JOIN unnest($1::bigint[]) AS wanted (id) ON p.job_id = wanted.id`

const sqlCounts = `SELECT state::text, count(*) FROM {schema}river_job GROUP BY state`

const sqlNoteCancel = `
UPDATE {schema}river_job SET metadata = jsonb_set(metadata, ARRAY[$2::text], $3::jsonb)
WHERE id = $1 AND finalized_at IS NULL AND NOT metadata ? 'cancel_attempted_at'`

const sqlOwned = `
SELECT id, attempt FROM {schema}river_job
WHERE state = 'running' AND attempted_by[array_upper(attempted_by, 1)] = $1`

// sqlGiveBack makes available again, with the attempt refunded; a job that is being cancelled is.
const sqlGiveBack = `
UPDATE {schema}river_job job SET
	state        = (CASE WHEN job.metadata ? 'cancel_attempted_at' THEN 'cancelled' ELSE 'available' END)::{schema}river_job_state,
	finalized_at = CASE WHEN job.metadata ? 'cancel_attempted_at' THEN clock_timestamp() END,
	attempt      = greatest(job.attempt - 1, 0),
	scheduled_at = clock_timestamp()
FROM unnest($2::bigint[], $3::int[]) AS given (id, attempt)
WHERE job.id = given.id AND job.attempt = given.attempt
	AND job.state = 'running' AND job.attempted_by[array_upper(job.attempted_by, 1)] = $1`

// sqlRecover ends attempts of dead replicas as River's rescuer would: available again, or discarded after the
// last attempt, or cancelled. $1 is the pattern of the IDs of replicas, $2 how many at most.
const sqlRecover = `
WITH orphan AS (
	SELECT job.id, job.attempted_by[array_upper(job.attempted_by, 1)] AS owner,
		CASE WHEN job.metadata ? 'cancel_attempted_at' THEN 'cancelled'
			WHEN job.attempt < job.max_attempts THEN 'available'
			ELSE 'discarded' END AS outcome
	FROM {schema}river_job job
	WHERE job.state = 'running'
		AND job.attempted_by[array_upper(job.attempted_by, 1)] ~ $1
		AND NOT EXISTS (
			SELECT FROM {schema}background_replica r
			WHERE r.id = job.attempted_by[array_upper(job.attempted_by, 1)] AND r.expires_at > clock_timestamp()
		)
	ORDER BY job.id
	LIMIT $2
	FOR UPDATE OF job SKIP LOCKED
)
UPDATE {schema}river_job job SET
	state        = orphan.outcome::{schema}river_job_state,
	finalized_at = CASE WHEN orphan.outcome <> 'available' THEN clock_timestamp() END,
	scheduled_at = CASE WHEN orphan.outcome = 'available' THEN clock_timestamp() ELSE job.scheduled_at END,
	errors       = array_append(job.errors, jsonb_build_object('at', clock_timestamp(), 'attempt', job.attempt,
		'error', 'the replica ' || orphan.owner || ' died while it ran this job', 'trace', ''))
FROM orphan WHERE job.id = orphan.id`
