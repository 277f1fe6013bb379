package heterotest_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/hetero/heterotest"
	"github.com/tandem-go/tandem/hostpar/hetero/policy"
)

const (
	items = 1_000_000
	oCPU  = 5 * time.Microsecond
	oGPU  = 40 * time.Microsecond
	ms    = time.Millisecond
)

type devices = []heterotest.Device

// two is a CPU and a GPU with speeds a to b that do the job in 1/k seconds.
func two(a, b, k float64) devices {
	return devices{
		{Rate: items * k * a / (a + b), Overhead: oCPU, Power: a},
		{Rate: items * k * b / (a + b), Overhead: oGPU, Align: 256, Power: b},
	}
}

// three is two CPUs and a GPU with speeds 1:1:3, changed by f.
func three(f func(gpu *heterotest.Device)) devices {
	d := devices{{Rate: 2e5, Overhead: oCPU}, {Rate: 2e5, Overhead: oCPU}, {Rate: 6e5, Overhead: oGPU, Align: 256}}
	if f != nil {
		f(&d[2])
	}
	return d
}

// drifting is a CPU and a GPU with a speed that changes.
func drifting(f func(t float64) float64) devices {
	d := two(1, 4, 1)
	d[1].RateAt = func(t time.Duration) float64 { return f(t.Seconds()) }
	return d
}

// cores is 16 cores and a GPU as fast as 100 of them; as devices of their own, or as one.
func cores(one bool) devices {
	gpu := heterotest.Device{Rate: 1e8 / 116, Overhead: oGPU, Align: 256}
	if one {
		return devices{{Rate: 16e6 / 116, Overhead: oCPU}, gpu}
	}
	var d devices
	for range 16 {
		d = append(d, heterotest.Device{Rate: 1e6 / 116, Overhead: oCPU})
	}
	return append(d, gpu)
}

// gpus is a CPU and so many GPUs, each four times as fast.
func gpus(n int, f func(gpu *heterotest.Device)) devices {
	k := float64(items) / float64(1+4*n)
	d := devices{{Rate: k, Overhead: oCPU}}
	for range n {
		d = append(d, heterotest.Device{Rate: 4 * k, Overhead: oGPU, Align: 256})
	}
	if f != nil {
		f(&d[n])
	}
	return d
}

// ramp is a cost per item that grows from 0.2 to 1.8; spike has 80 % of the cost in the last tenth of the items.
func ramp(x float64) float64 { return 0.2*x + 0.8*x*x/items }
func spike(x float64) float64 {
	const a = 0.9 * items
	if x <= a {
		return x * 0.2 / 0.9
	}
	return 0.2*items + (x-a)*8
}

// guess gives the devices wrong rates from earlier runs: these factors of the true ones.
func guess(d devices, trusted bool, factors ...float64) devices {
	for i := range d {
		d[i].Guess, d[i].Trusted = d[i].Rate*factors[i], trusted
	}
	return d
}

func run(t *testing.T, j heterotest.Job, d devices) heterotest.Result {
	t.Helper()
	if j.Items == 0 {
		j.Items = items
	}
	done := 0
	j.Trace = func(c heterotest.Chunk) {
		if c.OK {
			done += c.Hi - c.Lo
		}
	}
	r, err := heterotest.Run(j, d...)
	require.NoError(t, err)
	require.Equal(t, j.Items, done, "every item is done once")
	return r
}

// TestPublishedPolicies reproduces what the published policies do on unlike devices when the slow one asks first. It
// shows that the bounds of the other tests can be missed.
func TestPublishedPolicies(t *testing.T) {
	self := policy.Guided(policy.GuidedConfig{K: 1})
	for _, c := range []struct {
		name   string
		a, b   float64
		equal  bool // the policy is not told the speeds
		policy policy.Policy
		want   float64
	}{
		{"static 1:37", 1, 37, true, policy.Static(), 19.0},
		{"guided self-scheduling 1:37", 1, 37, true, self, 19.0},
		{"guided, equal powers 1:37", 1, 37, true, policy.Guided(policy.GuidedConfig{MinChunk: 64}), 9.5},
		{"dynamic, 100 chunks 1:37", 1, 37, true, policy.Dynamic(items / 100), 1.14},
		{"dynamic, 1000 chunks 1:37", 1, 37, true, policy.Dynamic(items / 1000), 1.064},
		{"guided, true powers 1:37", 1, 37, false, policy.Guided(policy.GuidedConfig{MinChunk: 64}), 1.002},
		{"static 1:4", 1, 4, true, policy.Static(), 2.5},
		{"guided self-scheduling 1:4", 1, 4, true, self, 2.5},
		{"guided, equal powers 1:4", 1, 4, true, policy.Guided(policy.GuidedConfig{MinChunk: 64}), 1.25},
		{"dynamic, 100 chunks 1:4", 1, 4, true, policy.Dynamic(items / 100), 1.007},
		{"dynamic, 1000 chunks 1:4", 1, 4, true, policy.Dynamic(items / 1000), 1.026},
		{"guided, true powers 1:4", 1, 4, false, policy.Guided(policy.GuidedConfig{MinChunk: 64}), 1.000},
		{"static, true powers 1:37", 1, 37, false, policy.Static(), 1.000},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := two(c.a, c.b, 1)
			if c.equal {
				d[0].Power, d[1].Power = 1, 1
			}
			got := run(t, heterotest.Job{Policy: c.policy}, d).Ratio()
			require.InEpsilon(t, c.want, got, 0.01)
		})
	}
}

// TestBalance holds the bounds of the default policy: the worst makespan over ideal without noise, and with noise the
// 95th percentile and the maximum over seeds.
func TestBalance(t *testing.T) {
	step := func(s float64) float64 {
		if s < 0.4 {
			return 8e5
		}
		return 2e5
	}
	sine := func(s float64) float64 { return 8e5 * (1 + 0.5*math.Sin(2*math.Pi*s/0.37)) }
	collapse := func(s float64) float64 {
		if s > 0.9 {
			return 8e4
		}
		return 8e5
	}
	none := math.Inf(1)
	for _, c := range []struct {
		name    string
		devices func() devices
		cost    func(float64) float64
		noise   float64
		exact   float64 // bound without noise
		p95     float64 // bounds with noise
		max     float64
		lost    float64 // bound of the share of items that were lost
	}{
		{"1:1", func() devices { return two(1, 1, 1) }, nil, 0.1, 1.0035, 1.049, 1.06, 0},
		{"1:4", func() devices { return two(1, 4, 1) }, nil, 0.1, 1.0035, 1.049, 1.06, 0},
		{"1:37", func() devices { return two(1, 37, 1) }, nil, 0.1, 1.0035, 1.049, 1.06, 0},
		{"1:300", func() devices { return two(1, 300, 1) }, nil, 0.1, 1.0035, 1.049, 1.06, 0},
		{"1:1:3", func() devices { return three(nil) }, nil, 0.1, 1.0035, 1.049, 1.06, 0},
		{"16 cores apart and a GPU", func() devices { return cores(false) }, nil, 0.1, 1.02, 1.06, 1.10, 0},
		{"16 cores as one and a GPU", func() devices { return cores(true) }, nil, 0.1, 1.0035, 1.04, 1.06, 0},
		{"2 GPUs", func() devices { return gpus(2, nil) }, nil, 0.1, 1.02, 1.06, 1.10, 0},
		{"4 GPUs", func() devices { return gpus(4, nil) }, nil, 0.1, 1.02, 1.06, 1.10, 0},
		{"8 GPUs", func() devices { return gpus(8, nil) }, nil, 0.1, 1.02, 1.06, 1.10, 0},
		{"4 GPUs, cost at the end", func() devices { return gpus(4, nil) }, spike, 0.1, 1.05, 1.08, none, 0},
		{"4 GPUs, one fails", func() devices { return gpus(4, func(d *heterotest.Device) { d.FailAt = 500 * ms }) }, nil, 0.1, 1.06, 1.06, none, 0.025},
		{"8 GPUs, one hangs", func() devices { return gpus(8, func(d *heterotest.Device) { d.HangAt = 500 * ms }) }, nil, 0.1, 1.06, 1.06, none, 0.025},
		{"1:4, noise 30 %", func() devices { return two(1, 4, 1) }, nil, 0.3, 1.02, 1.15, none, 0},
		{"1:37, noise 30 %", func() devices { return two(1, 37, 1) }, nil, 0.3, 1.02, 1.15, none, 0},
		{"cost grows", func() devices { return two(1, 4, 1) }, ramp, 0.1, 1.03, 1.08, none, 0},
		{"cost at the end", func() devices { return two(1, 4, 1) }, spike, 0.1, 1.05, 1.08, none, 0},
		{"slower at 0.4", func() devices { return drifting(step) }, nil, 0.1, 1.02, 1.08, none, 0},
		{"sine", func() devices { return drifting(sine) }, nil, 0.1, 1.03, 1.08, none, 0},
		{"10 x slower at 0.9", func() devices { return drifting(collapse) }, nil, 0.1, 1.03, 1.08, none, 0},
		{"model 10 x wrong, 1:1", func() devices { return guess(two(1, 1, 1), true, 10, 0.1) }, nil, 0.1, 1.05, 1.05, none, 0},
		{"model 10 x wrong, 1:37", func() devices { return guess(two(1, 37, 1), true, 10, 0.1) }, nil, 0.1, 1.05, 1.05, none, 0},
		{"model 10 x wrong, 1:300", func() devices { return guess(two(1, 300, 1), true, 10, 0.1) }, nil, 0.1, 1.05, 1.05, none, 0},
		{"fails at 0.5", func() devices { return three(func(d *heterotest.Device) { d.FailAt = 500 * ms }) }, nil, 0.1, 1.06, 1.06, none, 0.025},
		{"hangs at 0.5", func() devices { return three(func(d *heterotest.Device) { d.HangAt = 500 * ms }) }, nil, 0.1, 1.06, 1.06, none, 0.025},
		{"hangs at 0.95", func() devices { return three(func(d *heterotest.Device) { d.HangAt = 950 * ms }) }, nil, 0.1, 1.10, 1.10, none, 0.025},
	} {
		t.Run(c.name, func(t *testing.T) {
			job := heterotest.Job{Policy: policy.Adaptive(policy.AdaptiveConfig{}), Cost: c.cost}
			exact := run(t, job, c.devices())
			require.LessOrEqual(t, exact.Ratio(), c.exact, "without noise")

			const seeds = 100
			ratios, lost, chunks := make([]float64, 0, seeds), 0, 0
			job.Noise = c.noise
			for seed := range uint64(seeds) {
				job.Seed = seed + 1
				r := run(t, job, c.devices())
				ratios = append(ratios, r.Ratio())
				lost, chunks = max(lost, r.Lost), max(chunks, r.Chunks)
			}
			slices.Sort(ratios)
			p95 := ratios[seeds*95/100-1]
			t.Logf("exact %.3f, p95 %.3f, max %.3f, at most %d chunks, %.2f %% lost", exact.Ratio(), p95, ratios[seeds-1], chunks, 100*float64(lost)/items)
			require.LessOrEqual(t, p95, c.p95, "95th percentile")
			require.LessOrEqual(t, ratios[seeds-1], c.max, "maximum")
			require.LessOrEqual(t, float64(lost), c.lost*items, "lost items")
		})
	}
}

// TestShortJobs: jobs of 100, 10 and 1 ms on devices that nothing is known of, and on devices that are known.
func TestShortJobs(t *testing.T) {
	for _, c := range []struct {
		name       string
		k          float64
		known      string
		wrong      float64 // the factor by which the rate of the GPU is thought too high
		limit      float64
		mostChunks int
	}{
		{"100 ms", 10, "", 1, 1.04, 0},
		{"10 ms", 100, "", 1, 1.12, 0},
		{"1 ms", 1000, "", 1, 1.35, 0},
		{"100 ms, known", 10, "trusted", 1, 1.04, 0},
		{"10 ms, known", 100, "trusted", 1, 1.03, 20},
		{"1 ms, known", 1000, "trusted", 1, 1.05, 3},
		{"10 ms, measured", 100, "measured", 1, 1.04, 30},
		{"1 ms, measured", 1000, "measured", 1, 1.05, 3},
		{"10 ms, measured, 1.5 x wrong", 100, "measured", 1.5, 1.08, 30},
		{"10 ms, measured, 1.5 x wrong the other way", 100, "measured", 1 / 1.5, 1.08, 30},
		{"10 ms, measured, 10 x wrong", 100, "measured", 10, 1.3, 0},
		{"10 ms, measured, 10 x wrong the other way", 100, "measured", 0.1, 2.5, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := two(1, 4, c.k)
			if c.known != "" {
				d = guess(d, c.known == "trusted", 1, c.wrong)
			}
			if c.known == "measured" {
				d[0].Seen, d[1].Seen = items/10, items*4/10
			}
			r := run(t, heterotest.Job{Policy: policy.Adaptive(policy.AdaptiveConfig{})}, d)
			t.Logf("%.3f, %d chunks", r.Ratio(), r.Chunks)
			require.LessOrEqual(t, r.Ratio(), c.limit)
			if c.mostChunks > 0 {
				require.LessOrEqual(t, r.Chunks, c.mostChunks)
			}
		})
	}
}
