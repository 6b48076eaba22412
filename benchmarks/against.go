package main

// before is the name of what an earlier build of this program measures.
const before = "before"

// slower is how much more than before is within what two builds of the same code can differ by.
const slower = 1.05

// againstBefore has the row's own contender beside that of an earlier build.
func (r row) againstBefore() row {
	c := contender{name: before, goal: slower}
	switch {
	case r.apart: // differ by more
		c.goal = 0
	case r.unit.moreIsBetter:
		c.goal = 1 / slower
	}
	r.goal, r.apart, r.peers = 0, false, []contender{c}
	return r
}

// besides samples both builds. The earlier one knows our contender by its name.
func besides(now, earlier sampler) sampler {
	return func(r row, c contender) (float64, error) {
		if c.name == before {
			return earlier(r, r.ours)
		}
		return now(r, c)
	}
}
