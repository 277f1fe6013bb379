package policy_test

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/hetero/policy"
)

func random(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 78)) }

func all() map[string]policy.Policy {
	return map[string]policy.Policy{
		"static": policy.Static(), "dynamic": policy.Dynamic(100), "guided": policy.Guided(policy.GuidedConfig{}),
		"oneshot": policy.OneShot(), "adaptive": policy.Adaptive(policy.AdaptiveConfig{}),
		"adaptive, bounded": policy.Adaptive(policy.AdaptiveConfig{MinChunk: 32, MaxChunkTime: time.Millisecond}),
	}
}

// TestRandomHistories drives each policy through random runs with deaths and lanes, and holds its contract: no more than
// is left, equal answers to equal states, aligned chunks, something when forced, and an end.
func TestRandomHistories(t *testing.T) {
	for name, p := range all() {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(300) {
				history(t, p, rand.New(rand.NewPCG(seed, 4)))
			}
		})
	}
}

func history(t *testing.T, p policy.Policy, r *rand.Rand) {
	s := policy.State{Total: 1 + r.IntN(1<<uint(1+r.IntN(20)))}
	s.Remaining = s.Total
	for range 1 + r.IntN(5) {
		d := policy.Device{Overhead: time.Duration(r.IntN(50_000)), Align: 1 << r.IntN(9), Power: r.Float64() * 3}
		if r.IntN(2) == 0 {
			d.Rate, d.Trusted = 1e3*float64(int(1)<<r.IntN(20)), r.IntN(2) == 0
		}
		if r.IntN(4) == 0 {
			d.MinGain = 0.03
		}
		s.Devices = append(s.Devices, d)
	}
	id, done := uint64(0), 0
	for steps := 0; done < s.Total; steps++ {
		require.Less(t, steps, 50*s.Total+1000, "the run does not end")
		gave := false
		for d := range s.Devices {
			dev := &s.Devices[d]
			if dev.Dead || len(dev.Flights) >= 2 {
				continue
			}
			n := ask(t, p, &s, d)
			if n == 0 {
				continue
			}
			gave = true
			id++
			s.Issue(d, id, n)
		}
		flying := flights(&s)
		if len(flying) == 0 {
			require.False(t, gave)
			force(t, p, &s, &id)
			continue
		}
		at := flying[r.IntN(len(flying))]
		s.Now += time.Duration(1 + r.IntN(1_000_000))
		d := &s.Devices[at[0]]
		f := d.Flights[at[1]]
		if live(&s) > 1 && r.IntN(20) == 0 {
			for len(d.Flights) > 0 {
				s.Drop(at[0], d.Flights[0].ID)
			}
			d.Dead = true
		} else {
			s.Finish(at[0], f.ID)
			done += f.N
			require.Greater(t, d.Rate, 0.0)
		}
	}
	require.Zero(t, s.Remaining)
}

func ask(t *testing.T, p policy.Policy, s *policy.State, d int) int {
	before := *s
	before.Devices = append([]policy.Device(nil), s.Devices...)
	n, why := p.Next(s, d)
	require.True(t, reflect.DeepEqual(before, *s), "Next changes nothing")
	again, whyAgain := p.Next(s, d)
	require.Equal(t, n, again)
	require.Equal(t, why, whyAgain)
	require.GreaterOrEqual(t, n, 0)
	require.LessOrEqual(t, n, s.Remaining)
	require.Equal(t, n > 0, why < policy.Parked, "%d items, %v", n, why)
	if a := max(s.Devices[d].Align, 1); n%a != 0 {
		require.Equal(t, s.Remaining, n, "only the last chunk is not a multiple of %d", a)
	}
	return n
}

func force(t *testing.T, p policy.Policy, s *policy.State, id *uint64) {
	s.Force = true
	defer func() { s.Force = false }()
	for d := range s.Devices {
		if !s.Devices[d].Dead {
			n := ask(t, p, s, d)
			require.Positive(t, n, "forced")
			*id++
			s.Issue(d, *id, n)
			return
		}
	}
}

func flights(s *policy.State) (at [][2]int) {
	for d := range s.Devices {
		for f := range s.Devices[d].Flights {
			at = append(at, [2]int{d, f})
		}
	}
	return at
}

func live(s *policy.State) (n int) {
	for d := range s.Devices {
		if !s.Devices[d].Dead {
			n++
		}
	}
	return n
}

// TestIdeal compares the closed form with a search: the least time by which the devices together can do the work.
func TestIdeal(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	for range 200 {
		s := policy.State{}
		for range 1 + r.IntN(6) {
			s.Devices = append(s.Devices, policy.Device{Rate: 1e5 * (1 + 100*r.Float64()), Overhead: time.Duration(r.IntN(5_000_000)), Dead: r.IntN(9) == 0})
		}
		s.Devices[0].Dead = false
		n := 1 + r.IntN(100_000)
		lo, hi := 0.0, 100.0
		for range 200 {
			mid, sum := (lo+hi)/2, 0.0
			for _, d := range s.Devices {
				if !d.Dead {
					sum += d.Rate * max(mid-d.Overhead.Seconds(), 0)
				}
			}
			if sum < float64(n) {
				lo = mid
			} else {
				hi = mid
			}
		}
		require.InDelta(t, hi, policy.Ideal(&s, n).Seconds(), 2e-9)
	}
}

func TestClosedFormEndsTogether(t *testing.T) {
	s := policy.State{Total: 1_000_000, Remaining: 1_000_000, Devices: []policy.Device{
		{Rate: 2e8, Overhead: 5 * time.Microsecond}, {Rate: 8e8, Overhead: 40 * time.Microsecond, Align: 256}, {Rate: 1e8, Overhead: 5 * time.Millisecond},
	}}
	want := policy.Ideal(&s, s.Total)
	for d := range s.Devices {
		n, why := policy.OneShot().Next(&s, d)
		if d == 2 {
			require.Zero(t, n, "its overhead is longer than the job")
			require.Equal(t, policy.Short, why)
			require.Contains(t, policy.Explain(&s, d, "late", why), "5ms")
			continue
		}
		require.Equal(t, policy.Whole, why)
		got, _ := s.Predict(d, n)
		require.InDelta(t, want.Seconds(), got.Seconds(), 256/8e8)
		s.Issue(d, uint64(d), n)
	}
}

// TestGate: a device that data must be moved to takes part if that gains 3 %, else it gets nothing and the reason is said.
func TestGate(t *testing.T) {
	p := policy.Adaptive(policy.AdaptiveConfig{})
	at := func(rate float64) (int, policy.Reason, policy.State) {
		s := policy.State{Now: time.Second, Total: 1 << 30, Remaining: 1 << 29, Devices: []policy.Device{
			{Rate: 1e9, Overhead: 40 * time.Microsecond, Issued: 1, Finished: 1, Last: 1 << 20},
			{Rate: rate, Overhead: 5 * time.Microsecond, MinGain: 0.03, Issued: 1, Finished: 1, Last: 1 << 20},
		}}
		n, why := p.Next(&s, 1)
		return n, why, s
	}
	n, why, s := at(2.5e7)
	require.Zero(t, n)
	require.Equal(t, policy.NoGain, why)
	require.Equal(t, "CPU gets nothing: the data is elsewhere, and with it the job would take 2.4 % less time, under the 3 % that moving data must gain",
		policy.Explain(&s, 1, "CPU", why))
	n, why, _ = at(4e7)
	require.Positive(t, n, "%v", why)
	s.Devices[0].Dead = true
	n, _ = p.Next(&s, 1)
	require.Positive(t, n, "alone it is needed")
}

// TestTheGatedAreNotThere: where the data is on one device, and no other is worth moving it, that one gets a short job in one
// chunk, whatever is known of the others.
func TestTheGatedAreNotThere(t *testing.T) {
	for _, other := range []policy.Device{
		{Most: 1e7, MinGain: 0.03, Overhead: 5000}, {Rate: 1e7, MinGain: 0.03, Overhead: 5000}, {Rate: 1e7, Trusted: true, Seen: 9, MinGain: 0.03},
	} {
		s := policy.State{Total: 1e7, Remaining: 1e7, Devices: []policy.Device{{Rate: 1e9, Trusted: true, Overhead: 40_000}, other}}
		n, why := policy.Adaptive(policy.AdaptiveConfig{}).Next(&s, 0)
		require.Equal(t, 10_000_000, n, "%v", why)
		_, why = policy.Adaptive(policy.AdaptiveConfig{}).Next(&s, 1)
		require.Equal(t, policy.NoGain, why)
	}
}

// learn gives a device chunks of 1000 items that take these times, and returns the rate after each.
func learn(s *policy.State, took ...time.Duration) (rates []float64) {
	for i, d := range took {
		s.Remaining += 1000
		s.Issue(0, uint64(i), 1000)
		s.Now += d
		s.Finish(0, uint64(i))
		rates = append(rates, s.Devices[0].Rate)
	}
	return rates
}

func TestOneOutlierIsForgotten(t *testing.T) {
	const usual = time.Millisecond // 1e6 items a second
	s := policy.State{Devices: make([]policy.Device, 1)}
	r := learn(&s, usual, usual, usual, usual, 100*usual, usual, usual)
	require.InEpsilon(t, 1e4, r[4], 1e-9, "a slow sample is believed")
	require.InEpsilon(t, 1e6, r[5], 1e-9, "until the next")
	s = policy.State{Devices: make([]policy.Device, 1)}
	r = learn(&s, usual, usual, usual, usual, usual/100, usual, usual/10, usual/10)
	require.InEpsilon(t, 1e6, r[4], 1e-9, "a fast sample is not believed")
	require.InEpsilon(t, 1e6, r[5], 1e-9)
	require.InEpsilon(t, 1e6, r[6], 1e-9)
	require.InEpsilon(t, 1e7, r[7], 1e-9, "a second one is")
}

// TestFirstUseIsSlow: a device whose first chunk pays for compiling on first use is found out by the second, also where
// chunks cannot be small.
func TestFirstUseIsSlow(t *testing.T) {
	s := policy.State{Devices: make([]policy.Device, 1)}
	r := learn(&s, 100*time.Millisecond, time.Millisecond)
	require.InEpsilon(t, 1e6, r[1], 1e-9)

	s = policy.State{Now: 12 * time.Millisecond, Total: 2048, Remaining: 2000, Devices: []policy.Device{
		{Rate: 8000, Overhead: 20_000, Issued: 4, Finished: 3, Last: 40, Flights: []policy.Flight{{N: 40, Issued: 12 * time.Millisecond}}},
		{Rate: 85, Overhead: 20_000, Issued: 1, Finished: 1, Last: 1},
	}}
	n, why := policy.Adaptive(policy.AdaptiveConfig{}).Next(&s, 1)
	require.Equal(t, 1, n, "%v", why)
	s.Remaining = 100
	n, why = policy.Adaptive(policy.AdaptiveConfig{}).Next(&s, 1)
	require.Zero(t, n, "12 ms is no time to begin a chunk of 12 ms")
	require.Equal(t, policy.Late, why)
}

func TestRateOfADeviceWithLanes(t *testing.T) {
	s := policy.State{Total: 1 << 20, Remaining: 1 << 20, Devices: make([]policy.Device, 1)}
	// Three chunks under way at any time, one ends each millisecond.
	for i := range uint64(3) {
		s.Issue(0, i, 1000)
	}
	for i := range uint64(20) {
		s.Now += time.Millisecond
		s.Finish(0, i)
		s.Issue(0, i+3, 1000)
	}
	require.InEpsilon(t, 1e6, s.Devices[0].Rate, 0.01, "the rate is that of the device, not of a lane")
}

func TestNextTakesNoMemory(t *testing.T) {
	for name, p := range all() {
		s := running(8)
		require.Zero(t, testing.AllocsPerRun(100, func() { p.Next(&s, 3) }), name)
	}
}

// running is a job in its middle.
func running(devices int) policy.State {
	s := policy.State{Now: time.Second, Total: 1 << 40, Remaining: 1 << 39}
	for i := range devices {
		s.Devices = append(s.Devices, policy.Device{Rate: 1e6 * float64(i+1), Overhead: 5000, Issued: 9, Finished: 8, Last: 1 << 20,
			Flights: []policy.Flight{{ID: 1, Issued: time.Second - 1000, N: 1000}}})
	}
	return s
}

func BenchmarkNextAndFinish(b *testing.B) {
	for _, n := range []int{2, 64} {
		b.Run(map[int]string{2: "2 devices", 64: "64 devices"}[n], func(b *testing.B) {
			b.ReportAllocs()
			p := policy.Adaptive(policy.AdaptiveConfig{})
			s := running(n)
			for i := range s.Devices {
				s.Devices[i].Flights = s.Devices[i].Flights[:0]
			}
			for i := 0; b.Loop(); i++ {
				k, _ := p.Next(&s, 1)
				s.Issue(1, uint64(i), k)
				s.Now += 1000
				s.Finish(1, uint64(i))
				s.Remaining = 1 << 39
			}
		})
	}
}
