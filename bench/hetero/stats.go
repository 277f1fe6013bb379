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

// interval is a statistic of rounds, and its bootstrap interval of 95 %: the rounds are drawn with replacement.
func (b *bench) interval(statistic func(draw []int) float64) (v, lo, hi float64) {
	r := rand.New(rand.NewPCG(5, 6))
	const times = 2000
	all, draw := make([]float64, times), make([]int, b.rounds)
	for k := range draw {
		draw[k] = k
	}
	v = statistic(draw)
	for i := range all {
		for k := range draw {
			draw[k] = r.IntN(b.rounds)
		}
		all[i] = statistic(draw)
	}
	slices.Sort(all)
	return v, all[times*25/1000], all[times*975/1000]
}

// median is that of one figure for each round.
func (b *bench) median(x []float64) (v, lo, hi float64) {
	return b.interval(func(draw []int) float64 { return median(pick(x, draw)) })
}

// pick is the elements of x that were drawn.
func pick(x []float64, draw []int) []float64 {
	out := make([]float64, len(draw))
	for i, k := range draw {
		out[i] = x[k]
	}
	return out
}
