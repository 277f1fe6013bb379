package hetero_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/hetero"
)

// backWithin is how many runs a plan needs at most to forget that its first runs told wrong speeds.
const backWithin = 8

// planned is a plan on two devices in virtual time.
type planned struct {
	t     *testing.T
	plan  *hetero.Plan
	fakes [2]*fake
	rates [2]float64 // of the fakes while nothing disturbs them
}

// planOf is a plan of a job of so many units, which takes the first device so long, and the second ratio times as long.
func planOf(t *testing.T, units int, job time.Duration, ratio float64) *planned {
	rate := float64(units) / job.Seconds()
	x, y := newFake("x", rate, 10*time.Microsecond), newFake("y", rate/ratio, 5*time.Microsecond)
	for _, f := range []*fake{x, y} {
		f.told, f.inPlace = f.overhead, true
	}
	p, _ := pool(t, units, hetero.PoolConfig{}, x, y)
	pl, err := p.Compile(background, noop(t), hetero.Grid1(units, 1), nil, hetero.RunConfig{})
	require.NoError(t, err)
	return &planned{t, pl, [2]*fake{x, y}, [2]float64{x.rate, y.rate}}
}

// run is how long each of so many runs takes.
func (p *planned) run(times int) (walls []time.Duration) {
	for range times {
		rep, err := p.plan.Run(background)
		require.NoError(p.t, err)
		walls = append(walls, rep.Wall)
	}
	return walls
}

// quartile is what a quarter of the times are below: some runs are longer, since they try a device again.
func quartile(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/4]
}

// disturbances are what a device may look like while the machine does something else.
func disturbances() map[string]func(f *fake) {
	out := map[string]func(f *fake){}
	for _, x := range []float64{0.03, 0.3, 0.6, 2, 3} {
		out[fmt.Sprint(x, " times as fast")] = func(f *fake) { f.rate *= x }
	}
	for _, d := range []time.Duration{100 * time.Microsecond, 3 * time.Millisecond} {
		out[fmt.Sprint("each chunk late by ", d)] = func(f *fake) { f.overhead += d }
	}
	return out
}

// TestPlanComesBack: whatever a plan learned in its first runs, because a device was slow to wake, shared its processor, or had
// both for itself, eight runs later it is as fast as one that was never disturbed, in three of four runs at least: in the
// fourth it may try a device that it has left out.
func TestPlanComesBack(t *testing.T) {
	for _, s := range []struct {
		units int
		job   time.Duration
		ratio float64
	}{{24, 2500 * time.Microsecond, 1}, {256, 2500 * time.Microsecond, 4}, {256, 300 * time.Microsecond, 1}, {8, 300 * time.Microsecond, 1}, {216, 25 * time.Millisecond, 1}} {
		var steady time.Duration
		synctest.Test(t, func(t *testing.T) {
			p := planOf(t, s.units, s.job, s.ratio)
			p.run(12)
			steady = quartile(p.run(12))
			require.NoError(t, p.plan.Close())
		})
		for name, disturb := range disturbances() {
			for _, which := range [][]int{{0}, {1}, {0, 1}} {
				for _, long := range []int{1, 2, 4, 12} {
					synctest.Test(t, func(t *testing.T) {
						p := planOf(t, s.units, s.job, s.ratio)
						for _, i := range which {
							disturb(p.fakes[i])
						}
						p.run(long)
						for i, f := range p.fakes {
							f.rate, f.overhead = p.rates[i], f.told
						}
						walls := p.run(backWithin + 4)
						late := 0
						for _, w := range walls[backWithin:] {
							if w.Seconds() > 1.05*steady.Seconds()+10e-6 {
								late++
							}
						}
						require.LessOrEqual(t, late, 1, "%v, devices %v %s for %d runs: %v, wanted %v", s, which, name, long, walls, steady)
						require.NoError(t, p.plan.Close())
					})
				}
			}
		}
	}
}
