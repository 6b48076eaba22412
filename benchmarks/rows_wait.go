package main

import (
	"fmt"
	"slices"
	"time"
)

// waitRows is about how long a call can have to wait until it has the manager's mutex.
func waitRows(n sizes) []row {
	records := "of " + thousands(n.records) + " records"
	pending := thousands(n.queued) + " pending"
	return []row{
		waitRow(n, "wait-pages", "all pages "+records+" are listed",
			"1,000 records a page.", withRecords((*library).turnPages)),
		waitRow(n, "wait-search", records[3:]+" are searched by metadata",
			"None has any.", withRecords((*library).search)),
		waitRow(n, "wait-cleanup", "Cleanup "+records,
			"It forgets all of them.", withRecords((*library).cleanup)),
		waitRow(n, "wait-submits", "submits when there are "+pending,
			"As many again are submitted, at a limit of 4.", withPending(ours.submitAsMany)),
		waitRow(n, "wait-cancel-all", "CancelAll of "+pending,
			"It ends all of them.", withPending(ours.cancelAll)),
		waitRow(n, "wait-shutdown", "Shutdown of "+pending,
			"It ends all of them.", withPending(ours.shutDown)),
		waitRow(n, "wait-successors", fmt.Sprintf("%d successors before %s", n.replaced, pending),
			"The tasks that they replace return, and then all the others run.", successors),
		waitRow(n, "wait-groups", thousands(n.groups)+" groups",
			"A no-op is submitted to each, at a limit of 4 for all, and Stats asked for; three times.", manyGroups),
		waitRow(n, "wait-blocked", thousands(n.blocked)+" blocked submits",
			"Each is to replace the same running task, and there is no room, while no-ops that need none are run.", blockedSubmits),
		waitRow(n, "wait-waiters", thousands(n.waiters)+" waiters",
			"Goroutines wait for one task, which ends.", manyWaiters),
	}
}

func waitRow(n sizes, key, title, note string, s scene) row {
	return row{
		key:   key,
		title: "longest wait for the mutex: " + title,
		note:  note,
		unit:  duration,
		apart: true,
		most:  3, // each is a median already, and takes its time
		goal:  float64(2 * time.Millisecond),
		ours:  contender{name: "longest", sample: waits(n, s, callState, slices.Max[[]float64])},
		peers: []contender{
			{name: "p99.9", sample: waits(n, s, callState, p999)},
			{name: "no manager", sample: waits(n, s, callNobody, slices.Max[[]float64])},
			{name: "gives way", sample: waits(n, s, callScheduler, slices.Max[[]float64])},
		},
	}
}

func p999(took []float64) float64 { return quantile(took, 0.999) }
