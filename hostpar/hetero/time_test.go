package hetero_test

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/hetero"
	"github.com/tandem-go/tandem/hostpar/hetero/policy"
	"github.com/tandem-go/tandem/hostpar/hetero/trace"
)

// inTime runs a test in virtual time, and with -full in real time: then it needs a machine that has nothing else to do.
func inTime(t *testing.T, f func(t *testing.T)) {
	if *full {
		f(t)
		return
	}
	synctest.Test(t, f)
}

// TestSleepersEndTogether: devices that sleep, with speeds of 1:4 and 1:37, do a job of a second in chunks of up to 20 ms: a
// sleep is up to 1 ms too long.
func TestSleepersEndTogether(t *testing.T) {
	for _, ratio := range []float64{4, 37} {
		inTime(t, func(t *testing.T) {
			const n = 100_000
			p, job := pool(t, n, hetero.PoolConfig{}, newFake("slow", n/(1+ratio), 0), newFake("fast", n*ratio/(1+ratio), 0))
			rep, err := p.Run(background, noop(t), hetero.Grid1(n, 1), nil, hetero.RunConfig{})
			require.NoError(t, err)
			job.once(t)
			require.GreaterOrEqual(t, rep.Wall, time.Second)
			require.LessOrEqual(t, rep.Wall.Seconds(), 1.08, "%v", rep)
		})
	}
}

// TestTinyJobs: a job of 10 µs goes to one device in one chunk, and takes 20 µs longer at most, the device's own overhead
// included.
func TestTinyJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 1000
		p, job := pool(t, n, hetero.PoolConfig{}, newFake("cpu", n/10e-6, 5*time.Microsecond), newFake("gpu", 10*n/10e-6, 40*time.Microsecond))
		pl, err := p.Compile(background, noop(t), hetero.Grid1(n, 1), nil, hetero.RunConfig{})
		require.NoError(t, err)
		var rep *hetero.Report
		for range 12 {
			clear(job.counts)
			rep, err = pl.Run(background)
			require.NoError(t, err)
			job.once(t)
		}
		require.NoError(t, pl.Close())
		require.Equal(t, 1, rep.Chunks, "%v", rep)
		require.Equal(t, n, rep.Devices[0].Items)
		require.LessOrEqual(t, rep.Wall, 30*time.Microsecond)
	})
}

// body is work that only computes. It is not inlined, as its copies would differ by several percent where they come to lie.
//
//go:noinline
func body(out []float32, lo, hi int) {
	for i := lo; i < hi; i++ {
		v := float32(i)
		for range 100 {
			v = float32(v*0.9999) + 0.25
		}
		out[i] = v
	}
}

// TestLoneDevice: a device that nobody shares the job with, and that has no copies to make meanwhile, gets all but its first
// chunks at once: each would start and await all its workers anew.
func TestLoneDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 1_000_000
		cpu := newFake("cpu", n/50e-3, 5*time.Microsecond)
		cpu.inPlace = true
		p, job := pool(t, n, hetero.PoolConfig{}, cpu)
		rep, err := p.Run(background, noop(t), hetero.Grid1(n, 1), nil, hetero.RunConfig{})
		require.NoError(t, err)
		job.once(t)
		require.LessOrEqual(t, rep.Chunks, 5, "%v", rep) // 1/2000 of the job, three times eight times as much, and the rest
	})
}

// TestTwoWorkersAreTwoLoops: the CPU with two workers computes what two goroutines with half of the items each compute, and
// with -full nearly as fast, in jobs of 50 and 5 ms.
func TestTwoWorkersAreTwoLoops(t *testing.T) {
	each := 200 * time.Nanosecond
	if *full {
		begin := time.Now()
		body(make([]float32, 100_000), 0, 100_000)
		each = time.Since(begin) / 100_000
	}
	for _, c := range []struct {
		job  time.Duration
		most float64
	}{{50 * time.Millisecond, 1.03}, {5 * time.Millisecond, 1.10}} {
		n := int(2 * c.job / each)
		out, want := make([]float32, n), make([]float32, n)
		k, err := hetero.NewKernel("body", hetero.GoRange(func(lo, hi int) { body(out, lo, hi) }))
		require.NoError(t, err)
		pl, err := open(t, hetero.OnCPU(2)).Compile(background, k, hetero.Grid1(n, 1), []hetero.Arg{hetero.Out(out, hetero.Rows(1))}, hetero.RunConfig{})
		require.NoError(t, err)
		byHand := func() time.Duration {
			begin := time.Now()
			var wg sync.WaitGroup
			wg.Go(func() { body(want, 0, n/2) })
			wg.Go(func() { body(want, n/2, n) })
			wg.Wait()
			return time.Since(begin)
		}
		split := func() time.Duration {
			clear(out)
			rep, err := pl.Run(background)
			require.NoError(t, err)
			require.True(t, slices.Equal(want, out))
			require.Less(t, rep.Chunks, 100, "the device divides chunks itself")
			return rep.Wall
		}
		byHand()
		for range 3 {
			split()
		}
		if *full {
			r, rounds := undisturbed(t, byHand, split)
			t.Logf("%v: %.3f of the time by hand, in %d rounds", c.job, r, rounds)
			require.LessOrEqual(t, r, c.most, "%v", c.job)
		}
		require.NoError(t, pl.Close())
	}
}

// undisturbed is the median of the time of f over that of reference, in rounds in which the machine did not change: those where
// the reference took the same time, within 3 %, right before f and right after it. What f takes decides nothing about
// which rounds count.
func undisturbed(t *testing.T, reference, f func() time.Duration) (ratio float64, rounds int) {
	const enough, most, same = 31, 1000, 0.03
	var ratios []float64
	before := reference()
	for len(ratios) < enough {
		require.Less(t, rounds, most, "the machine has other work: only in %d rounds it had none", len(ratios))
		rounds++
		took, after := f().Seconds(), reference()
		if mean := (before + after).Seconds() / 2; math.Abs((after - before).Seconds()) <= same*mean {
			ratios = append(ratios, took/mean)
		}
		before = after
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2], rounds
}

// TestSecondRun: with what the first run left in the model file, the second one needs one small chunk of each device, which of
// two devices are at most 70 % of the first run's, and its first real ones divide the work
// as it is divided in the end.
func TestSecondRun(t *testing.T) {
	for _, rates := range [][]float64{{1, 4}, {1, 37}, {1, 1, 4}, {1, 300}} {
		synctest.Test(t, func(t *testing.T) {
			dir, sum := t.TempDir(), 0.0
			for _, r := range rates {
				sum += r
			}
			run := func() (small int, first []int, rep *hetero.Report) {
				var fakes []*fake
				for i, r := range rates {
					fakes = append(fakes, newFake(fmt.Sprint("device ", i), items*r/sum, []time.Duration{5000, 40_000}[min(i, 1)]))
				}
				rec := trace.New(0)
				p, job := pool(t, items, hetero.PoolConfig{ModelDir: dir}, fakes...)
				rep, err := p.Run(background, noop(t), hetero.Grid1(items, 1), nil, hetero.RunConfig{Trace: rec})
				require.NoError(t, err)
				require.NoError(t, p.Close())
				job.once(t)
				first = make([]int, len(rates))
				for _, s := range rec.Spans() {
					switch s.Why {
					case policy.Probe.String(), policy.Confirm.String(), policy.Growing.String():
						small++
					case policy.Share.String():
						if first[s.Device] == 0 {
							first[s.Device] = s.Hi - s.Lo
						}
					}
				}
				return small, first, rep
			}
			cold, _, _ := run()
			warm, first, rep := run()
			t.Logf("%v: %d small chunks, then %d", rates, cold, warm)
			require.Equal(t, len(rates), warm)
			require.Less(t, warm, cold)
			if len(rates) == 2 {
				require.LessOrEqual(t, float64(warm), 0.7*float64(cold))
			}
			all := 0
			for _, n := range first {
				all += n
			}
			for i, n := range first {
				require.InEpsilon(t, rep.Devices[i].Share, float64(n)/float64(all), 0.15, "device %d of %v", i, rates)
			}
		})
	}
}
