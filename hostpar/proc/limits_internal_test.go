package proc

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What a worker's time limit counts, told from what the system says of its threads. Each case is a worker that stays at
// one duty for ten limits of time; after is how many limits pass until it is killed, 0 for never.
func TestWhatALimitCounts(t *testing.T) {
	const limit = 800 * time.Millisecond
	const tick = 10 * time.Millisecond
	idle := thread{state: 'S'}
	for _, c := range []struct {
		name  string
		phase phase
		// threads returns what the system tells when the worker has been at it for a time.
		threads func(at time.Duration) map[int]thread
		every   time.Duration // between two ticks
		after   float64
	}{
		{"sleeps", working, func(time.Duration) map[int]thread { return map[int]thread{1: idle, 2: idle} }, tick, 1},
		{"burns a processor", working, func(at time.Duration) map[int]thread { return map[int]thread{1: {'R', at, 0}, 2: idle} }, tick, 1},
		{"burns a processor beside a thread that gets none", working, func(at time.Duration) map[int]thread {
			return map[int]thread{1: {'R', at, 0}, 2: {'R', 0, 0}}
		}, tick, 1},
		{"burns a quarter of a processor, as it gets no more", working, func(at time.Duration) map[int]thread {
			return map[int]thread{1: {'R', at / 4, at / 2}, 2: idle}
		}, tick, 4},
		{"waits half the time for a processor and sleeps", working, func(at time.Duration) map[int]thread {
			return map[int]thread{1: {'S', 0, at / 2}, 2: idle}
		}, tick, 2},
		{"gets no processor", working, func(time.Duration) map[int]thread { return map[int]thread{1: {'R', 0, 0}, 2: idle} }, tick, 0},
		{"is stopped", working, func(time.Duration) map[int]thread { return map[int]thread{1: {'T', 0, 0}, 2: {'T', 0, 0}} }, tick, 1},
		{"is stopped before it has its calls", passing, func(time.Duration) map[int]thread { return map[int]thread{1: {'T', 0, 0}} }, tick, 1},
		{"is stopped by a debugger and gets no calls", passing, func(time.Duration) map[int]thread { return map[int]thread{1: {'t', 0, 0}} }, tick, 0},
		{"has died, which somebody else will notice", working, func(time.Duration) map[int]thread { return map[int]thread{1: {'Z', 0, 0}} }, tick, 0},
		{"waits for its calls", passing, func(time.Duration) map[int]thread { return map[int]thread{1: idle} }, tick, 0},
		{"has nothing to do", resting, func(time.Duration) map[int]thread { return map[int]thread{1: {'T', 0, 0}} }, tick, 0},
		{"is on a system that tells nothing", working, func(time.Duration) map[int]thread { return nil }, tick, 1},
		{"sleeps, and its parent looks once in two limits", working, func(time.Duration) map[int]thread { return map[int]thread{1: idle} }, 2 * limit, 10},
	} {
		now := time.Unix(0, 0)
		at := time.Duration(0)
		m := meter{limit: limit, look: func() map[int]thread { return c.threads(at) }}
		killed := 0.0
		for at = 0; at <= 12*limit && killed == 0; at += c.every {
			if m.over(now.Add(at), duty{place: place{1, 2}, phase: c.phase}) {
				killed = float64(at) / float64(limit)
			}
		}
		// It is noticed at the tick after the one at which the duty was seen twice, and at the end of the last part.
		require.InDelta(t, c.after, killed, 0.15*max(1, c.after), c.name)
	}

	// What makes progress is not killed, however slow.
	m := meter{limit: limit, look: func() map[int]thread { return map[int]thread{1: idle} }}
	for i := range 1000 {
		at := time.Duration(i) * tick
		require.False(t, m.over(time.Unix(0, 0).Add(at), duty{place: place{1, uint64(at / (limit * 9 / 10))}, phase: working}))
		require.False(t, m.over(time.Unix(0, 0).Add(at+tick/2), duty{place: place{1, uint64(at / (limit * 9 / 10))}, phase: working}))
	}
}
