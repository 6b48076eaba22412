package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// sampler takes one sample of a contender of a row.
type sampler func(r row, c contender) (float64, error)

// inProcess samples in a new process of this program, so that no sample finds what another one has
// left: a heap that has grown, goroutines that the runtime keeps for reuse, an unlucky layout of memory.
func inProcess(program string) sampler {
	return func(r row, c contender) (float64, error) {
		cmd := exec.Command(program, "-sample", r.key+"/"+c.name)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return 0, fmt.Errorf("%s: %w", strings.Join(cmd.Args[1:], " "), err)
		}
		return strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	}
}

// measure takes a sample of each contender in each round. The order changes from round to round, so
// that what disturbs the machine meanwhile disturbs all alike.
func (r row) measure(rounds int, sample sampler) (result, error) {
	if r.most > 0 {
		rounds = min(rounds, r.most)
	}
	contenders := r.contenders()
	figures := make([][]float64, len(contenders))
	for range rounds {
		for _, i := range rand.Perm(len(contenders)) {
			figure, err := sample(r, contenders[i])
			if err != nil {
				return result{}, err
			}
			figures[i] = append(figures[i], figure)
		}
	}
	return result{r, figures[0], figures[1:]}, nil
}
