package fxtasks_test

import (
	"context"
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fxtasks/background/fxtasks"
)

var controlCharacter = regexp.MustCompile(`\p{Cc}`)

// fitsRule is the rule for names and IDs in other words than the engine's.
func fitsRule(s string) bool {
	return len(s) >= 1 && len(s) <= 128 && utf8.ValidString(s) && !controlCharacter.MatchString(s)
}

func FuzzName(f *testing.F) {
	for _, c := range labels {
		f.Add(c.s)
	}
	m := newManager(f, fxtasks.Config{RetainFinished: 10})
	f.Fuzz(func(t *testing.T, name string) {
		task, err := m.Submit(context.Background(), name, nothing)
		if !fitsRule(name) {
			wantInvalid(t, err, "name")
			return
		}
		if err != nil {
			t.Fatalf("name %q was refused: %v", name, err)
		}
		if task.Name() != name {
			t.Errorf("name %q became %q", name, task.Name())
		}
		if err := task.Wait(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func FuzzID(f *testing.F) {
	for _, c := range labels {
		f.Add(c.s)
	}
	for _, id := range []string{".", "..", "/", "...", "./", "019f3c1e-7d2a-7c4b-9a51-0a1b2c3d4e5f"} {
		f.Add(id)
	}
	m := newManager(f, fxtasks.Config{RetainFinished: 10})
	f.Fuzz(func(t *testing.T, id string) {
		task, err := m.Submit(context.Background(), "work", untilCancelled, fxtasks.WithID(id))
		if !fitsRule(id) || id == "." || id == ".." || id == "/" {
			wantInvalid(t, err, "ID")
			return
		}
		if err != nil {
			t.Fatalf("ID %q was refused: %v", id, err)
		}
		if _, err := m.Submit(context.Background(), "work", nothing, fxtasks.WithID(id)); !errors.Is(err, fxtasks.ErrDuplicateID) {
			t.Errorf("a second submit with the ID %q gave %v", id, err)
		}
		if info, err := m.Cancel(context.Background(), id, nil); err != nil || info.ID != id || info.Seq != task.Info().Seq {
			t.Errorf("Cancel(%q) gave %+v, %v", id, info, err)
		}
		m.Cleanup() // the next input may be the same ID
	})
}

func FuzzStatusText(f *testing.F) {
	for _, c := range statuses {
		f.Add([]byte(c.text))
	}
	for _, text := range []string{"", "Pending", "timed out", "running\n", "2"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		known := false
		for _, c := range statuses {
			known = known || c.text == string(text)
		}
		var s fxtasks.Status
		err := s.UnmarshalText(text)
		if !known {
			wantInvalid(t, err)
			return
		}
		if again, errAgain := s.MarshalText(); err != nil || errAgain != nil || string(again) != string(text) {
			t.Errorf("%q became %q (%v, %v)", text, again, err, errAgain)
		}
	})
}

func FuzzPageToken(f *testing.F) {
	const tasks = 5
	m := newManager(f, fxtasks.Config{})
	for range tasks {
		submit(f, m, "work", nothing)
	}
	if err := m.Wait(context.Background()); err != nil {
		f.Fatal(err)
	}
	next := m.List(fxtasks.Filter{Limit: 2}).Next
	mark := strings.TrimRight(next, "0123456789")
	for _, number := range []string{"1", "0", "01", "+1", "-1", "18446744073709551615", "18446744073709551616", "1 ", "x", ""} {
		f.Add(mark + number)
		f.Add(number)
	}
	f.Fuzz(func(t *testing.T, token string) {
		page := m.List(fxtasks.Filter{Limit: 2, After: token})
		before, err := strconv.ParseUint(strings.TrimPrefix(token, mark), 10, 64)
		if token == "" {
			before, err = math.MaxUint64, nil
		} else if token != mark+strconv.FormatUint(before, 10) {
			err = strconv.ErrSyntax // of those that have the same meaning only one was ever given out
		}
		if err != nil {
			if page.Tasks != nil || page.Next != "" || page.Total != 0 || page.Seq != 0 {
				t.Errorf("the malformed %q gives %+v", token, page)
			}
			return
		}
		want := min(before, tasks+1) // tasks have the numbers from 1 on
		for {
			if page.Total != tasks {
				t.Errorf("after %q there are %d tasks in all, want %d", token, page.Total, tasks)
			}
			for _, info := range page.Tasks {
				if want--; info.Seq != want {
					t.Fatalf("after %q comes task %d, want %d", token, info.Seq, want)
				}
			}
			if page.Next == "" {
				break
			}
			page = m.List(fxtasks.Filter{Limit: 2, After: page.Next})
		}
		if want > 1 {
			t.Errorf("after %q the tasks below %d are missing", token, want)
		}
	})
}
