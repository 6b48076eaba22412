package examples

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	fork "github.com/netresearch/go-cron"
	"github.com/robfig/cron/v3"

	"github.com/fxtasks/background/fxtasks"
	"github.com/fxtasks/background/fxtasks/fxtaskstest"
)

// threeInTheMorning is as in docs/schedules.md.
type threeInTheMorning struct{ *time.Location }

func (z threeInTheMorning) Next(after time.Time) time.Time {
	year, month, day := after.In(z.Location).Date()
	next := time.Date(year, month, day, 3, 0, 0, 0, z.Location)
	if !next.After(after) {
		next = time.Date(year, month, day+1, 3, 0, 0, 0, z.Location)
	}
	return next
}

// The table in docs/schedules.md, run by a manager.
func TestSchedulesAtTheChangesOfSummerTime(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	const halfPastTwo, three = "30 2 * * *", "0 3 * * *"
	for name, test := range map[string]struct {
		schedule       fxtasks.Schedule
		spring, autumn string // when it runs, from the evening before the change to the second noon after it
	}{
		"robfig, half past two":      {robfig(t, halfPastTwo), "27 02:30 CEST", "29 02:30 CEST, 29 02:30 CET, 30 02:30 CET"},
		"netresearch, half past two": {netresearch(t, halfPastTwo), "26 03:30 CEST, 27 02:30 CEST", "29 02:30 CEST, 29 02:30 CET, 30 02:30 CET"},
		"robfig, three":              {robfig(t, three), "26 03:00 CEST, 27 03:00 CEST", "29 03:00 CET, 30 03:00 CET"},
		"netresearch, three":         {netresearch(t, three), "26 03:00 CEST, 27 03:00 CEST", "29 03:00 CET, 30 03:00 CET"},
		"no parser, three":           {threeInTheMorning{berlin}, "26 03:00 CEST, 27 03:00 CEST", "29 03:00 CET, 30 03:00 CET"},
		"Every, a day":               {fxtasks.Every(24 * time.Hour), "26 01:00 CET, 27 02:00 CEST", "29 02:00 CEST, 30 01:00 CET"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := runs(t, test.schedule, beforeSpring(berlin)); got != test.spring {
				t.Errorf("in spring it runs at\n%s, want\n%s", got, test.spring)
			}
			if got := runs(t, test.schedule, beforeAutumn(berlin)); got != test.autumn {
				t.Errorf("in autumn it runs at\n%s, want\n%s", got, test.autumn)
			}
		})
	}

	for name, schedule := range map[string]fxtasks.Schedule{
		"robfig, each hour": robfig(t, "0 * * * *"), "netresearch, each hour": netresearch(t, "0 * * * *"),
	} {
		t.Run(name, func(t *testing.T) {
			for _, evening := range []time.Time{beforeSpring(berlin), beforeAutumn(berlin)} {
				each := runs(t, fxtasks.Every(time.Hour), evening)
				if got := runs(t, schedule, evening); got != each {
					t.Errorf("it runs at\n%s, want\n%s", got, each)
				}
			}
		})
	}
}

func TestADayOfTheMonthWithADayOfTheWeek(t *testing.T) {
	const expression = "0 3 1-7 * MON"
	tuesdaySecond := time.Date(2026, 6, 2, 12, 0, 0, 0, time.UTC)
	if next := robfig(t, expression).Next(tuesdaySecond); next.Day() != 3 {
		t.Errorf("robfig: %v, want the next day: either is enough", next)
	}
	if next := netresearch(t, expression).Next(tuesdaySecond); next.Month() != time.July || next.Day() != 6 {
		t.Errorf("netresearch: %v, want the first Monday of July: both have to fit", next)
	}
}

func TestAWeekBeginsOnThursday(t *testing.T) {
	next := fxtasks.Every(7 * 24 * time.Hour).Next(time.Date(2026, 6, 2, 12, 0, 0, 0, time.UTC))
	if want := time.Date(2026, 6, 4, 0, 0, 0, 0, time.UTC); !next.Equal(want) {
		t.Errorf("the next run is at %v, want %v", next, want)
	}
}

func robfig(t *testing.T, expression string) fxtasks.Schedule {
	t.Helper()
	s, err := cron.ParseStandard("CRON_TZ=Europe/Berlin " + expression)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func netresearch(t *testing.T, expression string) fxtasks.Schedule {
	t.Helper()
	s, err := fork.ParseStandard("CRON_TZ=Europe/Berlin " + expression)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// In 2000, which is when synctest's clock begins, they are on the 26th of March and the 29th of October.
func beforeSpring(zone *time.Location) time.Time { return time.Date(2000, 3, 25, 20, 30, 0, 0, zone) }
func beforeAutumn(zone *time.Location) time.Time { return time.Date(2000, 10, 28, 20, 30, 0, 0, zone) }

// runs gives when a schedule runs, from the evening before the change to the second noon after it.
func runs(t *testing.T, s fxtasks.Schedule, evening time.Time) string {
	t.Helper()
	var at []string
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(evening))
		tasks := fxtaskstest.New(t)
		_, err := tasks.Schedule("nightly", s, func(context.Context) error {
			at = append(at, time.Now().In(evening.Location()).Format("02 15:04 MST"))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Until(time.Date(2000, evening.Month(), evening.Day()+2, 12, 30, 0, 0, evening.Location())))
	})
	return strings.Join(at, ", ")
}
