package fxtasks_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/fxtasks/background/fxtasks"
)

// statuses is every status with its text, as clients of the API see it.
var statuses = []struct {
	status   fxtasks.Status
	text     string
	finished bool
}{
	{fxtasks.Pending, "pending", false},
	{fxtasks.Running, "running", false},
	{fxtasks.Completed, "completed", true},
	{fxtasks.Failed, "failed", true},
	{fxtasks.Cancelled, "cancelled", true},
	{fxtasks.TimedOut, "timed_out", true},
}

func TestStatusGoesThroughTextAndBack(t *testing.T) {
	for _, c := range statuses {
		t.Run(c.text, func(t *testing.T) {
			if got := c.status.String(); got != c.text {
				t.Errorf("String gives %q", got)
			}
			text, err := c.status.MarshalText()
			if err != nil || string(text) != c.text {
				t.Errorf("MarshalText gives %q, %v", text, err)
			}
			got := c.status + 1 // anything else
			if err := got.UnmarshalText(text); err != nil || got != c.status {
				t.Errorf("UnmarshalText gives %v, %v", got, err)
			}
			if got := c.status.Finished(); got != c.finished {
				t.Errorf("Finished is %t", got)
			}
		})
	}
}

func TestStatusIsAStringInJSON(t *testing.T) {
	for _, c := range statuses {
		text, err := json.Marshal(map[fxtasks.Status]fxtasks.Status{c.status: c.status})
		if want := `{"` + c.text + `":"` + c.text + `"}`; err != nil || string(text) != want {
			t.Errorf("JSON of %v is %s (%v), want %s", c.status, text, err, want)
		}
	}
}

func TestStatusOfOtherTextIsRefusedAndKept(t *testing.T) {
	for _, text := range []string{"", "Pending", "timed out", "canceled", " running", "2", "Status(9)"} {
		got := fxtasks.TimedOut
		if err := got.UnmarshalText([]byte(text)); !errors.Is(err, fxtasks.ErrInvalid) {
			t.Errorf("%q gives %v, want ErrInvalid", text, err)
		}
		if got != fxtasks.TimedOut {
			t.Errorf("%q changed the status to %v", text, got)
		}
	}
}

func TestUnknownStatusIsNeitherTextNorFinished(t *testing.T) {
	const unknown = fxtasks.TimedOut + 1
	if text, err := unknown.MarshalText(); !errors.Is(err, fxtasks.ErrInvalid) {
		t.Errorf("MarshalText gives %q, %v, want ErrInvalid", text, err)
	}
	if unknown.Finished() {
		t.Error("an unknown status is finished")
	}
	for _, c := range statuses {
		if unknown.String() == c.text {
			t.Errorf("an unknown status shows as %q", c.text)
		}
	}
}

func TestStateShowsItsName(t *testing.T) {
	for state, want := range map[fxtasks.State]string{
		fxtasks.Open:     "open",
		fxtasks.Draining: "draining",
		fxtasks.Stopped:  "stopped",
	} {
		if got := state.String(); got != want {
			t.Errorf("String gives %q, want %q", got, want)
		}
	}
}

func TestDuplicatePolicyShowsItsName(t *testing.T) {
	for policy, want := range map[fxtasks.DuplicatePolicy]string{
		fxtasks.Reject:  "reject",
		fxtasks.Join:    "join",
		fxtasks.Replace: "replace",
	} {
		if got := policy.String(); got != want {
			t.Errorf("String gives %q, want %q", got, want)
		}
	}
}

func TestZeroValuesAreTheBeginnings(t *testing.T) {
	var status fxtasks.Status
	var state fxtasks.State
	var policy fxtasks.DuplicatePolicy
	if status != fxtasks.Pending || state != fxtasks.Open || policy != fxtasks.Reject {
		t.Errorf("zero values are %v, %v, %v", status, state, policy)
	}
}
