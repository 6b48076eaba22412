package fxtasks

// aftermath is what a critical section leaves to be done when the mutex is unlocked again.
type aftermath struct {
	starts   taskList       // tasks to start, each on a goroutine
	releases []*taskContext // contexts to end
	dropped  []*Task        // tasks that ended without having started, to be logged
}

// do must be called without the registry's mutex.
func (a *aftermath) do(m *Manager) {
	a.act(m)
	a.log()
}

// act is the part of do that somebody waits for. It comes before the log, which can be slow.
func (a *aftermath) act(m *Manager) {
	for _, ctx := range a.releases {
		ctx.release()
	}
	for t := a.starts.popFront(); t != nil; t = a.starts.popFront() {
		go m.work(t)
	}
}

func (a *aftermath) log() {
	for _, t := range a.dropped {
		t.logDropped()
	}
}
