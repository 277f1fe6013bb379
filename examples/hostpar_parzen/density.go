package main

import (
	"fmt"
	"math"
	"runtime"
	"strings"

	"github.com/tandem-go/tandem/hostpar/par"
)

type point [2]float64

// estimate is the share of points inside the square window of width h around x, divided by h to the given power; with
// the power 2 it estimates the density at x (Parzen 1962).
func estimate(points []point, x point, h float64, exponent int) float64 {
	inside := 0
	for _, p := range points {
		if max(math.Abs(p[0]-x[0]), math.Abs(p[1]-x[1])) < h/2 {
			inside++
		}
	}
	return float64(inside) / float64(len(points)) / math.Pow(h, float64(exponent))
}

// density is estimate in any dimension.
func density(points [][]float64, x []float64, h float64) float64 {
	inside := 0
points:
	for _, p := range points {
		for i := range x {
			if math.Abs(p[i]-x[i]) >= h/2 {
				continue points
			}
		}
		inside++
	}
	return float64(inside) / float64(len(points)) / math.Pow(h, float64(len(x)))
}

// system describes the machine the times are from.
func system() string {
	t := par.ReadTopology()
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s/%s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
	fmt.Fprintf(&b, "processor: %s; %d sockets, %d cores, %d threads, %d usable\n", t.Model, t.Sockets, t.Cores, t.Logical, t.Usable)
	for _, c := range t.Caches {
		fmt.Fprintf(&b, "cache: level %d, %s, %d KiB\n", c.Level, strings.ToLower(c.Kind), c.Bytes>>10)
	}
	return b.String()
}
