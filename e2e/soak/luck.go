package main

import (
	"math/rand/v2"
	"time"
)

// luck is where everything random comes from. Each actor and each task has its own, so that what it
// does depends on the seed alone, and only when it does it on the scheduler.
type luck struct{ *rand.Rand }

func newLuck(seed, stream uint64) luck { return luck{rand.New(rand.NewPCG(seed, stream))} }

func (l luck) oneIn(n int) bool { return l.IntN(n) == 0 }

// upTo gives a duration above 0 and up to d.
func (l luck) upTo(d time.Duration) time.Duration { return 1 + time.Duration(l.Int64N(int64(d))) }

func pick[T any](l luck, from ...T) T { return from[l.IntN(len(from))] }
