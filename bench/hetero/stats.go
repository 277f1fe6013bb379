package main

import (
	"math/rand/v2"
	"slices"
)

func median(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

// interval is a bootstrap interval of 95 % for a statistic of rounds, which are drawn with replacement.
func interval(rounds int, statistic func(draw []int) float64) (lo, hi float64) {
	r := rand.New(rand.NewPCG(5, 6))
	const times = 2000
	all, draw := make([]float64, times), make([]int, rounds)
	for i := range all {
		for k := range draw {
			draw[k] = r.IntN(rounds)
		}
		all[i] = statistic(draw)
	}
	slices.Sort(all)
	return all[times*25/1000], all[times*975/1000]
}

// pick is the elements of x that were drawn.
func pick(x []float64, draw []int) []float64 {
	out := make([]float64, len(draw))
	for i, k := range draw {
		out[i] = x[k]
	}
	return out
}
