//go:build linux && (amd64 || arm64)

package jit_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/mem"
)

// way is how the blocks of a launch are driven. What it computes may not depend on that.
type way struct {
	r       *rand.Rand
	budgets []int // of slices, each as often as any other
	// together: all blocks are resident, and have slices in random order. moved: each slice runs on a goroutine of its own.
	// stirred: memory is taken and given back between slices, so that what is known of legal memory does not hold any more.
	together, moved, stirred bool
	// given is after how many slices a launch before this one of the same program is given up; 0 is none.
	given int
}

// straight is the way of the reference engine.
func straight() way { return way{budgets: []int{1 << 20}} }

// wayOf is that of a seed: often in slices so brief that each back edge ends one.
func wayOf(seed, n uint64) way {
	r := rand.New(rand.NewPCG(seed, 4+n))
	budgets := [][]int{{1 << 20}, {50}, {1}, {1, 20, 300}, {1, 4096, 1 << 20}}[r.IntN(5)]
	w := way{r: r, budgets: budgets, together: r.IntN(3) == 0, moved: r.IntN(4) == 0, stirred: r.IntN(4) == 0}
	if r.IntN(3) == 0 {
		w.given = 1 + r.IntN(30)
	}
	return w
}

func (w way) choose(n int) int {
	if n == 1 {
		return 0
	}
	return w.r.IntN(n)
}

func (w way) String() string {
	return fmt.Sprintf("slices %v, together %t, moved %t, stirred %t, after one given up after %d", w.budgets, w.together, w.moved, w.stirred, w.given)
}

// slice gives a block a slice.
func (w way) slice(b engine.Block, space *mem.Space, t testing.TB) (spent int, state engine.State, fault *engine.Fault) {
	budget := w.budgets[w.choose(len(w.budgets))]
	if w.stirred {
		at, err := space.Alloc(64)
		require.NoError(t, err)
		require.NoError(t, space.Free(at))
	}
	if !w.moved {
		state, fault = b.Run(budget)
		return max(budget, 50), state, fault
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		state, fault = b.Run(budget)
	}()
	<-done
	return max(budget, 50), state, fault
}

// mostWork is the budget of a launch in all.
const mostWork = 1 << 26

// turn is a block in one of the windows for a launch.
type turn struct {
	engine.Block
	windows  engine.Windows
	sequence engine.Sequence // with the blocks that follow, or nil
}

// blocks runs the blocks of a launch, those of one by one at some seeds as sequences. It gives up after most slices, if that is not 0.
func (c trial) blocks(t testing.TB, space *mem.Space, p engine.Program, l *engine.Launch, free []engine.Windows, w way, most int) (fault *engine.Fault) {
	next, n, spent := uint64(0), uint64(volume(c.grid)), 0
	var live []turn
	defer func() {
		for _, b := range live {
			b.Close()
		}
	}()
	for slice := 0; slice < most || most == 0; slice++ {
		for ; next < n && len(free) > 0; free = free[1:] {
			mem.Fill(free[0].Shared, uint64(l.SharedBytes), 0)
			b := turn{Block: p.Block(l, next, free[0]), windows: free[0]}
			next++
			if s, ok := b.Block.(engine.Sequence); ok && !w.together && free[0].LocalStride == 0 && c.seed%3 == 0 {
				s.Extend(n - next)
				b.sequence, next = s, n
			}
			live = append(live, b)
		}
		if len(live) == 0 {
			return nil
		}
		i := w.choose(len(live))
		cost, state, fault := w.slice(live[i], space, t)
		spent += cost
		require.Less(t, spent, mostWork, "seed %d: the kernel does not end\n%s", c.seed, c.text)
		if fault != nil {
			return fault
		}
		if s := live[i].sequence; s != nil && (state == engine.Done || w.choose(4) == 0) {
			next -= s.Rest()
		}
		if state == engine.Done {
			live[i].Close()
			free = append(free, live[i].windows)
			live = slices.Delete(live, i, i+1)
		}
	}
	return nil
}

// unsettled lets the collector and the profiler interrupt whatever runs, until the function that it returns is called.
func unsettled() (settle func()) {
	percent := debug.SetGCPercent(50)
	profiles := pprof.StartCPUProfile(io.Discard) == nil // else the test runs under a profiler already
	return func() {
		debug.SetGCPercent(percent)
		if profiles {
			pprof.StopCPUProfile()
		}
	}
}
