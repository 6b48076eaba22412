package main

import "testing"

func TestTheEarlierBuildIsAskedForOurContender(t *testing.T) {
	asked := func(build string, log *[]string) sampler {
		return func(r row, c contender) (float64, error) {
			*log = append(*log, build+" "+r.key+"/"+c.name)
			return 1, nil
		}
	}
	r := row{key: "row", ours: contender{name: "listed"}, peers: []contender{{name: "undisturbed"}}}.againstBefore()
	var log []string
	sample := besides(asked("now", &log), asked("earlier", &log))
	for _, c := range r.contenders() {
		if _, err := sample(r, c); err != nil {
			t.Fatal(err)
		}
	}
	if len(log) != 2 || log[0] != "now row/listed" || log[1] != "earlier row/listed" {
		t.Errorf("sampled were %q", log)
	}
}
