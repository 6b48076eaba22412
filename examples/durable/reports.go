package main

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"github.com/fxtasks/background/fxtasks"
)

// BuildReport is the job of building a report. It is what clients post, too.
type BuildReport struct {
	Name      string `json:"name"`
	Steps     int    `json:"steps"`
	StepMS    int    `json:"step_ms"`
	FailTimes int    `json:"fail_times"` // how many of the first attempts fail
	Ledger    string `json:"ledger,omitempty"`
}

func (BuildReport) Kind() string { return "build-report" }

// NewBuildReport gives one of 10 steps of 100 ms.
func NewBuildReport() BuildReport { return BuildReport{Steps: 10, StepMS: 100} }

const (
	maxSteps  = 1_000_000
	maxStepMS = 3_600_000
)

func (b BuildReport) validate() error {
	switch {
	case b.Steps < 0 || b.Steps > maxSteps:
		return fmt.Errorf("steps is %d: must be 0 to %d", b.Steps, maxSteps)
	case b.StepMS < 0 || b.StepMS > maxStepMS:
		return fmt.Errorf("step_ms is %d: must be 0 to %d", b.StepMS, maxStepMS)
	case b.FailTimes < 0:
		return fmt.Errorf("fail_times is %d: must not be negative", b.FailTimes)
	}
	return nil
}

func (b BuildReport) step() time.Duration { return time.Duration(b.StepMS) * time.Millisecond }

// ReportWorker builds reports.
type ReportWorker struct {
	river.WorkerDefaults[BuildReport]
	store    Store
	instance string
}

// NewReportWorker needs the store, which is closed when all jobs have been drained.
func NewReportWorker(store Store, flags Flags) *ReportWorker {
	return &ReportWorker{store: store, instance: flags.Instance}
}

// Work returns soon after ctx has ended: when the application stops, when the job is cancelled, or when its
// timeout is over. It may run more than once for one job, after a crash.
func (w *ReportWorker) Work(ctx context.Context, job *river.Job[BuildReport]) error {
	report := job.Args
	if job.Attempt <= report.FailTimes {
		return fmt.Errorf("attempt %d of report %q fails, as asked", job.Attempt, report.Name)
	}
	for i := range report.Steps {
		select {
		case <-time.After(report.step()):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		fxtasks.ReportProgress(ctx, fxtasks.Progress{Current: int64(i + 1), Total: int64(report.Steps), Unit: "steps"})
	}
	return w.store.AddReport(ctx, Report{Name: report.Name, Instance: w.instance, Attempt: job.Attempt, At: time.Now().UTC()})
}

// Timeout leaves time for all steps.
func (w *ReportWorker) Timeout(job *river.Job[BuildReport]) time.Duration {
	return time.Minute + 2*time.Duration(job.Args.Steps)*job.Args.step()
}

// NextRetry waits for a second after the first attempt, for two after the second, and so on.
func (w *ReportWorker) NextRetry(job *river.Job[BuildReport]) time.Time {
	return time.Now().Add(time.Duration(job.Attempt) * time.Second)
}
