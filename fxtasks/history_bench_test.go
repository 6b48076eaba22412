package fxtasks

import (
	"context"
	"testing"
	"time"
)

// BenchmarkHistoryOfATask tells which part of the time from the submission of a no-op to its end goes to the
// history, as history/task: 0.03 is 3 %.
//
//	go test ./fxtasks -run '^$' -bench HistoryOfATask -count 10
func BenchmarkHistoryOfATask(b *testing.B) {
	const batch = 10_000
	m, err := New(Config{RetainFinished: batch})
	if err != nil {
		b.Fatal(err)
	}
	tasks := make([]*Task, batch)
	var whole, history time.Duration
	for b.Loop() {
		began := time.Now()
		for i := range tasks {
			if tasks[i], err = m.Submit(context.Background(), "work", func(context.Context) error { return nil }); err != nil {
				b.Fatal(err)
			}
		}
		if err := m.Wait(context.Background()); err != nil {
			b.Fatal(err)
		}
		whole += time.Since(began)

		cs := m.reg.enter()
		began = time.Now()
		for _, t := range tasks {
			cs.addToHistory(t, true)
		}
		history += time.Since(began)
		cs.leave()
	}
	b.ReportMetric(float64(history)/float64(whole), "history/task")
	b.ReportMetric(float64(history.Nanoseconds())/float64(b.N*batch), "history-ns")
	if _, err := m.Shutdown(context.Background()); err != nil {
		b.Fatal(err)
	}
}
