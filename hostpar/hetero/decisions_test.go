package hetero_test

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/hetero"
	"github.com/tandem-go/tandem/hostpar/hetero/heterotest"
	"github.com/tandem-go/tandem/hostpar/hetero/policy"
	"github.com/tandem-go/tandem/hostpar/hetero/trace"
)

// TestDecisionsAreWhatThePolicySays: the log of a run, whatever fails, hangs or is tried twice in it, leads the policy
// through the same states to the same answers.
func TestDecisionsAreWhatThePolicySays(t *testing.T) {
	for seed := range *schedules / 3 {
		synctest.Test(t, func(t *testing.T) {
			r := random(seed)
			n, release := 1+r.IntN(50_000), make(chan struct{})
			fakes := []*fake{newFake("good", 1e5, time.Microsecond)}
			for i := range 1 + r.IntN(3) {
				f := newFake(fmt.Sprint("bad ", i), 1e4*float64(int(1)<<r.IntN(8)), time.Duration(r.IntN(50_000)))
				f.lanes, f.release = 1+r.IntN(3), release
				switch at := 1 + r.IntN(12); r.IntN(5) {
				case 0:
					f.failAt = at
				case 1:
					f.lostAt = at
				case 2:
					f.hangAt = at
				case 3:
					f.pauseAt, f.pause = at, time.Duration(r.IntN(1e8))
				}
				fakes = append(fakes, f)
			}
			p, job := pool(t, n, hetero.PoolConfig{}, fakes...)
			log := &policy.DecisionLog{}
			cfg := hetero.RunConfig{HangFloor: 5 * time.Millisecond, FirstHang: time.Second, Retries: 20, Decisions: log, Speculate: r.IntN(2) == 0, Shadow: 0.1 * float64(r.IntN(2))}
			if r.IntN(2) == 0 {
				cfg.CostHint = func(r hetero.Range) float64 { return spike(n, r.Hi) - spike(n, r.Lo) }
			}
			rep, err := p.Run(background, noop(t), hetero.Grid1(n, 1+r.IntN(8)), nil, cfg)
			require.NoError(t, err)
			job.once(t)
			asked, err := log.Check(policy.Adaptive(policy.AdaptiveConfig{}))
			require.NoError(t, err, "seed %d", seed)
			require.Equal(t, rep.Chunks-rep.Speculated, asked, "all of them")
			close(release)
			time.Sleep(time.Second)
			synctest.Wait()
		})
	}
}

// TestReplay: a run on other devices, of other speeds, gives each the chunks that it had in the log, and so does virtual time.
func TestReplay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &policy.DecisionLog{}
		run := func(c hetero.RunConfig, rates ...float64) (out []trace.Span) {
			rec := trace.New(0)
			c.Trace = rec
			p, job := pool(t, items, hetero.PoolConfig{}, newFake("a", rates[0], 5*time.Microsecond), newFake("b", rates[1], 40*time.Microsecond))
			_, err := p.Run(background, noop(t), hetero.Grid1(items, 1), nil, c)
			require.NoError(t, err)
			job.once(t)
			for _, s := range rec.Spans() {
				out = append(out, trace.Span{Device: s.Device, Lo: s.Lo, Hi: s.Hi, Chunk: s.Chunk, Why: s.Why})
			}
			slices.SortFunc(out, func(a, b trace.Span) int { return int(a.Chunk) - int(b.Chunk) })
			return out
		}
		first := run(hetero.RunConfig{Decisions: log}, 2e5, 8e5)
		require.Greater(t, len(first), 50)
		require.NotEqual(t, first, run(hetero.RunConfig{}, 3e5, 2e5), "by itself it would be divided otherwise")
		require.Equal(t, first, run(hetero.RunConfig{Replay: log}, 3e5, 2e5))

		var file bytes.Buffer
		_, err := log.WriteTo(&file)
		require.NoError(t, err)
		back, err := policy.ReadDecisions(&file)
		require.NoError(t, err)
		require.Equal(t, first, run(hetero.RunConfig{Replay: back}, 1e6, 1e4))

		simulated := make([]trace.Span, 0, len(first))
		_, err = heterotest.Run(heterotest.Job{Items: items, Policy: policy.Replay(log), Trace: func(c heterotest.Chunk) {
			simulated = append(simulated, trace.Span{Device: c.Device, Lo: c.Lo, Hi: c.Hi, Why: c.Why.String()})
		}}, heterotest.Device{Rate: 5e5}, heterotest.Device{Rate: 5e5})
		require.NoError(t, err)
		slices.SortFunc(simulated, func(a, b trace.Span) int { return a.Lo - b.Lo })
		for i := range first {
			simulated[i].Chunk = first[i].Chunk
		}
		require.Equal(t, first, simulated, "no item was given back, so the order of items is that of chunks")
	})
}

// TestReplayWithoutADevice: what a lost device was given is done by the others.
func TestReplayWithoutADevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &policy.DecisionLog{}
		p, _ := pool(t, items, hetero.PoolConfig{}, newFake("a", 2e5, 5000), newFake("b", 8e5, 40_000))
		_, err := p.Run(background, noop(t), hetero.Grid1(items, 1), nil, hetero.RunConfig{Decisions: log})
		require.NoError(t, err)
		a, b := newFake("a", 2e5, 5000), newFake("b", 8e5, 40_000)
		b.lostAt = 4
		p, job := pool(t, items, hetero.PoolConfig{}, a, b)
		rep, err := p.Run(background, noop(t), hetero.Grid1(items, 1), nil, hetero.RunConfig{Replay: log})
		require.NoError(t, err)
		job.once(t)
		require.Greater(t, rep.Devices[0].Share, 0.9)

		_, err = p.Run(background, noop(t), hetero.Grid1(items-1, 1), nil, hetero.RunConfig{Replay: log})
		require.ErrorIs(t, err, hetero.ErrDeclaration, "a job of another size")
		_, err = p.Run(background, noop(t), hetero.Grid1(items, 1), nil, hetero.RunConfig{Replay: log, Decisions: log})
		require.ErrorIs(t, err, hetero.ErrDeclaration)
		p, _ = pool(t, items, hetero.PoolConfig{}, a)
		_, err = p.Run(background, noop(t), hetero.Grid1(items, 1), nil, hetero.RunConfig{Replay: log})
		require.ErrorIs(t, err, hetero.ErrDeclaration, "another number of devices")
	})
}

// spike is the cost of the items before x of n: the last tenth of them has 80 % of it.
func spike(n, x int) float64 { return spikeOf(float64(n), float64(x)) }

func spikeOf(n, x float64) float64 {
	if x <= 0.9*n {
		return x * 0.2 / 0.9
	}
	return 0.2*n + (x-0.9*n)*8
}

// TestCostHint: with a hint, two equal devices get half of the work each by a policy that divides once, and without it one
// of them gets nine tenths of it. The report counts items.
func TestCostHint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, plan := range []bool{false, true} {
			for _, unit := range []int{1, 7, 300} {
				for _, hint := range []bool{false, true} {
					var fakes []*fake
					for i := range 2 {
						f := newFake(fmt.Sprint(i), items/2, 5*time.Microsecond)
						f.cost = func(x float64) float64 { return spikeOf(items, x) }
						fakes = append(fakes, f)
					}
					p, job := pool(t, items, hetero.PoolConfig{}, fakes...)
					cfg := hetero.RunConfig{Policy: policy.Static(), HangFloor: time.Minute}
					if hint {
						cfg.CostHint = func(r hetero.Range) float64 { return 3 * (spike(items, r.Hi) - spike(items, r.Lo)) }
					}
					grid := hetero.Grid1(items, unit)
					var rep *hetero.Report
					if plan {
						pl, err := p.Compile(background, noop(t), grid, nil, cfg)
						require.NoError(t, err)
						_, err = pl.Run(background)
						require.NoError(t, err)
						job.once(t)
						clear(job.counts)
						rep, err = pl.Run(background)
						require.NoError(t, err)
						require.NoError(t, pl.Close())
					} else {
						var err error
						rep, err = p.Run(background, noop(t), grid, nil, cfg)
						require.NoError(t, err)
					}
					job.once(t)
					switch {
					case hint:
						require.LessOrEqual(t, rep.Wall.Seconds(), 1.005, "%v", rep)
					case !plan: // which would have learned that one device is slower than it is
						require.InDelta(t, 1.78, rep.Wall.Seconds(), 0.01, "%v", rep)
					}
					require.Equal(t, items, rep.Items)
					require.Equal(t, items, rep.Devices[0].Items+rep.Devices[1].Items)
					require.InDelta(t, 1, rep.Devices[0].Share+rep.Devices[1].Share, 1e-12)
					if hint {
						require.InDelta(t, 1, rep.Efficiency, 0.01)
						require.InDelta(t, 0.9375, max(rep.Devices[0].Share, rep.Devices[1].Share), 0.01, "of items")
					}
				}
			}
		}
	})
}

// TestAnyCostHint: hints that are wrong, zero in places, or of single items only, change nothing but sizes.
func TestAnyCostHint(t *testing.T) {
	for seed := range *schedules / 5 {
		synctest.Test(t, func(t *testing.T) {
			r := random(seed)
			n := 1 + r.IntN(30_000)
			scale := math.Exp(40 * (r.Float64() - 0.5))
			cfg := hetero.RunConfig{CostHint: func(c hetero.Range) float64 {
				switch s := random(seed + uint64(c.Lo)); s.IntN(4) {
				case 0:
					if c.Hi < n {
						return 0
					}
				case 1:
					return scale * 1e6
				}
				return scale
			}}
			if r.IntN(2) == 0 {
				cfg.Policy = fickle(seed)
			}
			a, b := newFake("a", 1e5, 5000), newFake("b", 1e6, 40_000)
			b.lanes = 1 + r.IntN(3)
			p, job := pool(t, n, hetero.PoolConfig{ModelDir: t.TempDir()}, a, b)
			for range 3 {
				rep, err := p.Run(background, noop(t), hetero.Grid1(n, 1+r.IntN(9)), nil, cfg)
				require.NoError(t, err)
				job.once(t)
				require.Equal(t, n, rep.Items)
				clear(job.counts)
			}
		})
	}
}

func TestBadCostHints(t *testing.T) {
	p, job := pool(t, 100, hetero.PoolConfig{}, newFake("a", 1e5, 5000))
	for name, v := range map[string]float64{"negative": -1, "not a number": math.NaN(), "infinite": math.Inf(1), "nothing": 0} {
		_, err := p.Run(background, noop(t), hetero.Grid1(100, 1), nil, hetero.RunConfig{CostHint: func(hetero.Range) float64 { return v }})
		require.ErrorIs(t, err, hetero.ErrDeclaration, name)
	}
	_, err := p.Run(background, noop(t), hetero.Grid1(100, 1), nil, hetero.RunConfig{CostHint: func(hetero.Range) float64 { return math.MaxFloat64 }})
	require.ErrorIs(t, err, hetero.ErrDeclaration, "the sum is infinite")
	require.Equal(t, make([]int, 100), job.counts)
}
