//go:build linux && (amd64 || arm64)

package jit_test

import (
	"bytes"
	"flag"
	"io"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/interp"
)

var torture = flag.Duration("torture", 0, "for how long TestTorture goes on; 0 is a few rounds")

// TestTorture: compiled code runs on several goroutines while all that the runtime may do to them happens all the time. The
// collector begins again whenever it is done (GOGC=1), with it stacks shrink, which grow again by hundreds of frames before
// each launch; the profiler's signals come; kernels are compiled and dropped, so that code is unmapped beside code that runs;
// and blocks are interrupted after every few back edges.
func TestTorture(t *testing.T) { everyEngine(t, testTorture) }

func testTorture(t *testing.T, e engine.Engine) {
	defer debug.SetGCPercent(debug.SetGCPercent(1))
	if pprof.StartCPUProfile(io.Discard) == nil { // else the test runs under a profiler already
		defer pprof.StopCPUProfile()
	}
	var wants [][]byte
	all := workloads(1)
	for _, w := range all {
		p := prepare(t, interp.New(), w)
		p.run(t)
		wants = append(wants, p.outputs)
	}
	begun, seed := time.Now(), rand.Uint64()
	t.Logf("seed %d", seed)
	var workers sync.WaitGroup
	var bodies []func()
	for id := range uint64(2 * runtime.GOMAXPROCS(0)) {
		mine, fresh := make([]*prepared, len(all)), make([][]byte, len(all))
		for i, w := range all {
			mine[i] = prepare(t, e, w)
			fresh[i] = bytes.Clone(mine[i].outputs)
		}
		bodies = append(bodies, func() {
			r := rand.New(rand.NewPCG(seed, id))
			for round := 0; round < 12 || time.Since(begun) < *torture; round++ {
				i := r.IntN(len(all))
				if r.IntN(4) == 0 {
					var err error
					if mine[i].program, err = kernelOf(t, benchPTX, all[i].kernel)(e, engine.Options{Memory: mine[i].space, Block: all[i].block}); err != nil {
						t.Error(err)
						return
					}
				}
				copy(mine[i].outputs, fresh[i])
				budget := 1 << r.IntN(14)
				deep(r.IntN(800), func() { mine[i].runIn(t, budget) })
				if string(mine[i].outputs) != string(wants[i]) {
					t.Errorf("%s: wrong results", all[i].kernel)
					return
				}
				if r.IntN(8) == 0 {
					debug.FreeOSMemory()
				}
			}
		})
	}
	for _, body := range bodies {
		workers.Go(body)
	}
	workers.Wait()
	require.False(t, t.Failed())
}
