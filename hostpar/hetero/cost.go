package hetero

import (
	"fmt"
	"math"
	"sort"
)

// costs is what RunConfig.CostHint said of a job: at each edge of equally long segments of units, what all units before it
// cost. A unit costs at least 1, so that what is left of a job tells whether units are left.
type costs struct {
	step int   // units of a segment
	at   []int // one more than segments
}

const (
	// segments is how many parts of a job CostHint is asked for at most.
	segments = 4096
	// costScale is what a job costs in all, apart from 1 for each unit.
	costScale = 1 << 40
)

// newCosts asks the program for the cost of each segment.
func newCosts(hint func(Range) float64, l *layout) (*costs, error) {
	c := &costs{step: (l.units-1)/segments + 1}
	n := (l.units-1)/c.step + 1
	sums := make([]float64, n+1)
	for i := range n {
		items := l.rows(i*c.step, min((i+1)*c.step, l.units))
		v := hint(items)
		if !(v >= 0) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%w: items %v are said to cost %v", ErrDeclaration, items, v)
		}
		sums[i+1] = sums[i] + v
	}
	if all := sums[n]; all == 0 || math.IsInf(all, 0) {
		return nil, fmt.Errorf("%w: all items are said to cost %v", ErrDeclaration, all)
	}
	for _, v := range sums {
		c.at = append(c.at, int(v/sums[n]*costScale))
	}
	return c, nil
}

// before is the cost of the units before u.
func (c *costs) before(u int, l *layout) int {
	i := min(u/c.step, len(c.at)-2)
	first := i * c.step
	return c.at[i] + (c.at[i+1]-c.at[i])*(u-first)/(min(first+c.step, l.units)-first) + u
}

// size is how many of the policy's items a range of units is: its length, or its cost.
func (j *Job) size(lo, hi int) int {
	if j.costs == nil {
		return hi - lo
	}
	return j.costs.before(hi, &j.layout) - j.costs.before(lo, &j.layout)
}

// cut is the end of a piece of the units from lo up to hi, of a size of at most n, but at least one unit.
func (j *Job) cut(lo, hi, n int) int {
	if j.costs == nil {
		return min(lo+n, hi)
	}
	return min(lo+max(sort.Search(hi-lo, func(k int) bool { return j.size(lo, lo+k+1) > n }), 1), hi)
}

// cutBack is the beginning of such a piece that ends at hi.
func (j *Job) cutBack(lo, hi, n int) int {
	if j.costs == nil {
		return max(hi-n, lo)
	}
	return max(hi-max(sort.Search(hi-lo, func(k int) bool { return j.size(hi-k-1, hi) > n }), 1), lo)
}

// place is the unit at which a fraction of the job is done.
func (j *Job) place(fraction float64) int {
	if j.costs == nil {
		return int(math.Round(fraction * float64(j.layout.units)))
	}
	want := int(fraction * float64(j.size(0, j.layout.units)))
	return sort.Search(j.layout.units, func(u int) bool { return j.size(0, u) >= want })
}

// perUnit is how many of the policy's items a unit is on average.
func (j *Job) perUnit() float64 {
	return float64(j.size(0, j.layout.units)) / float64(j.layout.units)
}
