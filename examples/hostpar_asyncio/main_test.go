package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// want is the transcript as plain code writes it.
func want(seed uint64) string {
	var b strings.Builder
	for i := range 9 {
		fmt.Fprintf(&b, "function %d\n", i%3+1)
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	table := [4][2]int{{2, 1}, {3, 2}, {1, 3}, {1, 4}}
	for state := 0; state != 4; {
		input := rng.IntN(2)
		fmt.Fprintf(&b, "state %d, input %d\n", state, input)
		state = table[state][input]
	}
	b.WriteString("end state\n")
	for i := range 9 {
		fmt.Fprintf(&b, "factorial(10): step %d\nfibonacci(10): step %d\nbinomial(20, 10): step %d\n", i+2, i+1, i+1)
	}
	b.WriteString("factorial(10) = 3628800\nfibonacci(10): step 10\nbinomial(20, 10): step 10\nfibonacci(10) = 55\nbinomial(20, 10) = 184756\n")
	return b.String()
}

func TestTranscript(t *testing.T) {
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			var out strings.Builder
			began := time.Now()
			require.NoError(t, run(t.Context(), &out, time.Second, seed))
			require.Equal(t, want(seed), out.String())
			states := strings.Count(out.String(), "input ")
			require.Equal(t, time.Duration(8+states+10)*time.Second, time.Since(began), "the clock of the bubble is exact")
		})
	}
}
