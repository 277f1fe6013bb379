package hetero_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/hetero"
	"github.com/tandem-go/tandem/hostpar/hetero/policy"
	"github.com/tandem-go/tandem/hostpar/hetero/trace"
)

const items = 1_000_000

// TestEndsTogether runs the scheduler itself, in virtual time, and holds it to the bounds of the simulator.
func TestEndsTogether(t *testing.T) {
	for _, c := range []struct {
		name  string
		rates []float64
		lanes []int
		limit float64
	}{
		{"1:1", []float64{1, 1}, []int{1, 1}, 1.02},
		{"1:4", []float64{1, 4}, []int{1, 1}, 1.02},
		{"1:37", []float64{1, 37}, []int{1, 1}, 1.02},
		{"1:300", []float64{1, 300}, []int{1, 1}, 1.02},
		{"1:1:4", []float64{1, 1, 4}, []int{1, 1, 1}, 1.02},
		{"1:4, three lanes", []float64{1, 4}, []int{1, 3}, 1.03},
		{"1:37, three lanes", []float64{1, 37}, []int{1, 3}, 1.03},
		{"1:10:20:40, lanes", []float64{1, 10, 20, 40}, []int{1, 3, 2, 3}, 1.03},
		{"alone", []float64{1}, []int{1}, 1.02},
		{"alone, three lanes", []float64{1}, []int{3}, 1.02},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sum := 0.0
				for _, r := range c.rates {
					sum += r
				}
				var fakes []*fake
				for i, r := range c.rates {
					overhead := 5 * time.Microsecond
					if i > 0 {
						overhead = 40 * time.Microsecond
					}
					f := newFake(fmt.Sprint("device ", i), items*r/sum, overhead)
					f.lanes = c.lanes[i]
					fakes = append(fakes, f)
				}
				p, job := pool(t, items, hetero.PoolConfig{}, fakes...)
				rep, err := p.Run(background, noop(t), hetero.Grid1(items, 1), nil, hetero.RunConfig{})
				require.NoError(t, err)
				job.once(t)
				t.Log(rep)
				require.LessOrEqual(t, rep.Wall.Seconds(), c.limit, "the ideal is one second")
				require.GreaterOrEqual(t, rep.Efficiency, 0.97)
				require.LessOrEqual(t, rep.Efficiency, 1.001)
				require.InDelta(t, 1.0, rep.Loss.Start+rep.Loss.Tail+rep.Loss.Idle+rep.Loss.Lost+rep.Loss.Overhead+1/rep.Wall.Seconds(), 0.01,
					"work and losses are all there is: %+v", rep.Loss)
				share := 0.0
				for i, d := range rep.Devices {
					require.InDelta(t, c.rates[i]/sum, d.Share, 0.02)
					share += d.Share
					require.Equal(t, fakes[i].items, d.Items)
					require.Equal(t, 1, fakes[i].closed)
				}
				require.InDelta(t, 1, share, 1e-9)
			})
		})
	}
}

var schedules = flag.Uint64("schedules", 300, "random schedules of TestExactlyOnce and TestCancel")

// TestExactlyOnce runs jobs on devices that fail, hang, panic and are lost at random, and zombies that come back.
func TestExactlyOnce(t *testing.T) {
	for seed := range *schedules {
		synctest.Test(t, func(t *testing.T) {
			r := random(seed)
			n := 1 + r.IntN(20_000)
			release := make(chan struct{})
			good := newFake("good", 1e5, time.Microsecond)
			fakes := []*fake{good}
			for i := range 1 + r.IntN(4) {
				f := newFake(fmt.Sprint("bad ", i), 1e4*float64(int(1)<<r.IntN(8)), time.Duration(r.IntN(50_000)))
				f.lanes, f.release = 1+r.IntN(3), release
				f.inPlace = r.IntN(4) == 0
				at := 1 + r.IntN(12)
				switch r.IntN(5) {
				case 0:
					f.failAt = at
				case 1:
					f.lostAt = at
				case 2:
					f.hangAt = at
				case 3:
					f.panicAt = at
				}
				fakes = append(fakes, f)
			}
			p, job := pool(t, n, hetero.PoolConfig{}, fakes...)
			rep, err := p.Run(background, noop(t), hetero.Grid1(n, 1+r.IntN(64)), nil, hetero.RunConfig{HangFloor: 5 * time.Millisecond, FirstHang: time.Second, Retries: 20})
			require.NoError(t, err, "seed %d", seed)
			require.Equal(t, n, rep.Items)
			job.once(t)
			close(release)
			synctest.Wait()
			job.once(t) // zombies changed nothing
			for _, f := range fakes {
				for _, err := range f.late {
					require.ErrorIs(t, err, hetero.ErrRevoked)
				}
				require.Equal(t, f.prepare, f.closed, "%s", f.name)
			}
		})
	}
}

func TestHungDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow, fast := newFake("slow", 4e5, 5*time.Microsecond), newFake("fast", 6e5, 40*time.Microsecond)
		fast.hangAt, fast.release = 30, make(chan struct{})
		p, job := pool(t, items, hetero.PoolConfig{}, slow, fast)
		rec := trace.New(0)
		rep, err := p.Run(background, noop(t), hetero.Grid1(items, 1), nil, hetero.RunConfig{HangFloor: 20 * time.Millisecond, Trace: rec})
		require.NoError(t, err)
		job.once(t)
		t.Log(rep)
		require.ErrorIs(t, rep.Devices[1].Err, hetero.ErrHung)
		require.Contains(t, rep.Devices[1].Why, "fast is out: device hangs")
		require.Positive(t, rep.LostItems)
		require.LessOrEqual(t, rep.LostItems, items*25/1000)
		require.Positive(t, rep.Retried)
		require.Greater(t, rep.Loss.Lost, 0.1)
		require.Zero(t, fast.closed, "its memory is not freed under it")
		close(fast.release)
		synctest.Wait()
		require.Equal(t, 1, fast.closed)
		job.once(t)
		done := 0
		for _, s := range rec.Spans() {
			done += s.Hi - s.Lo
		}
		require.Equal(t, items, done, "the timeline has each item once")
	})
}

// TestTheLastDeviceIsGivenTime: where nobody could take over, slow is not hung.
func TestTheLastDeviceIsGivenTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 100_000
		f := newFake("only", 1e6, time.Microsecond)
		f.pauseAt, f.pause = 9, 20*time.Second
		p, job := pool(t, n, hetero.PoolConfig{}, f)
		rep, err := p.Run(background, noop(t), hetero.Grid1(n, 1), nil, hetero.RunConfig{})
		require.NoError(t, err)
		job.once(t)
		require.Greater(t, rep.Wall, 20*time.Second)

		f.pauseAt, f.chunk, f.pause = 9, 0, 40*time.Second
		p, _ = pool(t, n, hetero.PoolConfig{}, f)
		rep, err = p.Run(background, noop(t), hetero.Grid1(n, 1), nil, hetero.RunConfig{})
		require.ErrorIs(t, err, hetero.ErrHung)
		require.Less(t, rep.Wall, 31*time.Second)
		time.Sleep(time.Minute) // the zombie ends
	})
}

// TestStoppedProgram: while the program itself does not run, as if a user or a virtual machine stopped it, no device hangs.
func TestStoppedProgram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const stop = 10 * time.Second
		a, b := newFake("a", 4e5, time.Microsecond), newFake("b", 6e5, time.Microsecond)
		p, job := pool(t, items, hetero.PoolConfig{}, a, b)
		once := sync.OnceFunc(func() { time.Sleep(stop) }) // also stops who looks for devices that hang
		a.pauseAt, a.pause = 12, stop+time.Second/2
		rep, err := p.Run(background, noop(t), hetero.Grid1(items, 1), nil, hetero.RunConfig{Progress: func(p hetero.Progress) {
			if p.Elapsed > 0 && a.started() >= a.pauseAt {
				once()
			}
		}})
		require.NoError(t, err)
		job.once(t)
		require.Greater(t, rep.Wall, stop)
		require.NoError(t, rep.Devices[0].Err)
		require.Zero(t, rep.Retried)
	})
}

func TestPoisonRange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fakes []*fake
		for i := range 4 {
			f := newFake(fmt.Sprint(i), 1e6, time.Microsecond)
			f.poison = 777_777
			fakes = append(fakes, f)
		}
		p, job := pool(t, items, hetero.PoolConfig{}, fakes...)
		_, err := p.Run(background, noop(t), hetero.Grid1(items, 10), nil, hetero.RunConfig{})
		var failed *hetero.RunError
		require.ErrorAs(t, err, &failed)
		require.ErrorIs(t, err, errFake)
		require.Len(t, failed.Undone, 1)
		bad := failed.Undone[0]
		require.True(t, bad.Lo <= 777_777 && 777_777 < bad.Hi && bad.Hi-bad.Lo <= items/40, "%v", bad)
		for i, n := range job.counts {
			want := 1
			if i >= bad.Lo && i < bad.Hi {
				want = 0
			}
			if n != want {
				require.Equal(t, want, n, "item %d", i)
			}
		}
		var chunk *hetero.ChunkError
		require.ErrorAs(t, err, &chunk)
		require.Equal(t, 3, chunk.Attempt, "two retries")
	})
}

func TestAllDevicesDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newFake("a", 1e6, 5000), newFake("b", 3e6, 40_000)
		a.lostAt, b.lostAt = 5, 7
		p, job := pool(t, items, hetero.PoolConfig{}, a, b)
		rep, err := p.Run(background, noop(t), hetero.Grid1(items, 1), nil, hetero.RunConfig{})
		var failed *hetero.RunError
		require.ErrorAs(t, err, &failed)
		require.ErrorIs(t, err, hetero.ErrDeviceLost)
		undone := 0
		for i, r := range failed.Undone {
			undone += r.Hi - r.Lo
			for k := r.Lo; k < r.Hi; k++ {
				if job.counts[k] != 0 {
					require.Zero(t, job.counts[k], "item %d", k)
				}
			}
			require.True(t, i == 0 || failed.Undone[i-1].Hi < r.Lo, "in order and apart")
		}
		require.Equal(t, items, undone+rep.Items)
		require.Less(t, rep.Wall, time.Second)
		require.NotNil(t, rep)
	})
}

func TestCancel(t *testing.T) {
	for seed := range *schedules / 3 {
		synctest.Test(t, func(t *testing.T) {
			r := random(seed)
			a, b := newFake("a", 1e5, 5000), newFake("b", 9e5, 40_000)
			b.lanes = 1 + r.IntN(3)
			p, job := pool(t, items, hetero.PoolConfig{}, a, b)
			ctx, cancel := context.WithCancelCause(background)
			reason := errors.New("enough")
			at := time.Duration(r.IntN(1_100_000_000))
			time.AfterFunc(at, func() { cancel(reason) })
			defer cancel(nil)
			rep, err := p.Run(ctx, noop(t), hetero.Grid1(items, 1), nil, hetero.RunConfig{})
			if err == nil {
				job.once(t)
				return
			}
			require.ErrorIs(t, err, reason)
			var failed *hetero.RunError
			require.ErrorAs(t, err, &failed)
			undone := 0
			for _, u := range failed.Undone {
				undone += u.Hi - u.Lo
			}
			done := 0
			for _, n := range job.counts {
				if n > 1 {
					require.Equal(t, 1, n)
				}
				done += n
			}
			require.Equal(t, items, undone+done)
			require.Equal(t, done, rep.Items)
			require.LessOrEqual(t, rep.Wall-at, 2*time.Duration(b.lanes)*25*time.Millisecond, "two chunks of 2 %% for each lane")
			for _, d := range rep.Devices {
				require.NoError(t, d.Err, "no device is to blame")
			}
		})
	}
}

func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := pool(t, items, hetero.PoolConfig{}, newFake("a", 1e5, 5000), newFake("b", 2e5, 40_000))
		var seen []hetero.Progress
		_, err := p.Run(background, noop(t), hetero.Grid1(items, 7), nil, hetero.RunConfig{
			HangFloor: time.Millisecond, Progress: func(p hetero.Progress) { seen = append(seen, p) }})
		require.NoError(t, err)
		require.Equal(t, items, seen[len(seen)-1].Done)
		require.Greater(t, len(seen), 20)
		for i := range seen[1:] {
			require.LessOrEqual(t, seen[i].Done, seen[i+1].Done)
			if i+2 < len(seen) {
				require.GreaterOrEqual(t, seen[i+1].Elapsed-seen[i].Elapsed, time.Second/10)
			}
		}
	})
}

func TestModelIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 20_000 // two milliseconds: a short job
		dir := t.TempDir()
		run := func() *hetero.Report {
			p, job := pool(t, n, hetero.PoolConfig{ModelDir: dir}, newFake("slow", 2e6, 5*time.Microsecond), newFake("fast", 8e6, 40*time.Microsecond))
			rep, err := p.Run(background, noop(t), hetero.Grid1(n, 1), nil, hetero.RunConfig{})
			require.NoError(t, err)
			require.NoError(t, rep.ModelErr)
			job.once(t)
			return rep
		}
		cold := run()
		run()
		run()
		warm := run()
		t.Logf("cold %v, warm %v", cold.Wall, warm.Wall)
		require.LessOrEqual(t, warm.Chunks, 3, "divided in closed form")
		require.Less(t, warm.Wall, cold.Wall)
		require.LessOrEqual(t, warm.Wall.Seconds(), 1.02*warm.Ideal.Seconds())
	})
}

func TestDevicesThatCannotTakePart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newFake("a", 1e6, 0), newFake("b", 1e6, 0)
		b.refuse = errors.New("no such instruction")
		p, job := pool(t, 1000, hetero.PoolConfig{}, a, b)
		rep, err := p.Run(background, noop(t), hetero.Grid1(1000, 1), nil, hetero.RunConfig{})
		require.NoError(t, err)
		job.once(t)
		require.Equal(t, "b is out: no such instruction", rep.Devices[1].Why)

		a.refuse = b.refuse
		_, err = p.Run(background, noop(t), hetero.Grid1(1000, 1), nil, hetero.RunConfig{})
		require.ErrorIs(t, err, hetero.ErrNoDevice)
		require.ErrorIs(t, err, b.refuse)
		require.NoError(t, p.Close())
		_, err = p.Run(background, noop(t), hetero.Grid1(1000, 1), nil, hetero.RunConfig{})
		require.ErrorIs(t, err, hetero.ErrClosed)
	})
}

func TestAbort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newFake("a", 1e6, 5000), newFake("b", 1e6, 5000)
		b.failAt = 3
		p, _ := pool(t, items, hetero.PoolConfig{}, a, b)
		_, err := p.Run(background, noop(t), hetero.Grid1(items, 1), nil, hetero.RunConfig{OnDeviceError: hetero.Abort})
		require.ErrorIs(t, err, errFake)
	})
}

// TestTimelineAgreesWithReport: the spans of a device are as long as it was busy, have all items, and do not overlap.
func TestTimelineAgreesWithReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := trace.New(0)
		p, _ := pool(t, items, hetero.PoolConfig{}, newFake("a", 1e5, 5000), newFake("b", 4e5, 40_000))
		rep, err := p.Run(background, noop(t), hetero.Grid1(items, 1), nil, hetero.RunConfig{Trace: rec})
		require.NoError(t, err)
		var busy, end [2]time.Duration
		done := 0
		for _, s := range rec.Spans() {
			require.GreaterOrEqual(t, s.Start, end[s.Device])
			busy[s.Device] += s.End - s.Start
			end[s.Device] = s.End
			done += s.Hi - s.Lo
		}
		require.Equal(t, items, done)
		for i, d := range rep.Devices {
			require.InEpsilon(t, d.Busy.Seconds(), busy[i].Seconds(), 0.01)
		}
	})
}

// void is a device that does nothing, at once.
type void struct{}

func (void) Info() hetero.Info { return hetero.Info{ID: "void", Name: "void", Lanes: 1} }

func (void) Prepare(context.Context, *hetero.Job) (hetero.Feed, error) { return void{}, nil }

func (void) Do(context.Context, int, *hetero.Task) error { return nil }

func (void) Close() error { return nil }

// TestMemoryOfARun: it depends on neither the number of items nor that of chunks.
func TestMemoryOfARun(t *testing.T) {
	allocated := func(items, chunks int) uint64 {
		p := open(t, void{}, void{})
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		rep, err := p.Run(background, noop(t), hetero.Grid1(items, 1), nil, hetero.RunConfig{Policy: policy.Dynamic(items / chunks)})
		require.NoError(t, err)
		require.GreaterOrEqual(t, rep.Chunks, chunks)
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	const most = 256 << 10
	require.Less(t, allocated(1_000_000, 100), uint64(most))
	require.Less(t, allocated(1_000_000_000, 100), uint64(most), "a thousand times as many items")
	chunks := int(count(100_000, 1_000_000))
	require.Less(t, allocated(1_000_000, chunks), uint64(most), "many more chunks")
}

// TestDevicesOfOneName: a report tells them apart.
func TestDevicesOfOneName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, job := pool(t, 1000, hetero.PoolConfig{}, newFake("twin", 1e6, 0), newFake("other", 1e6, 0), newFake("twin", 1e6, 0))
		rep, err := p.Run(background, noop(t), hetero.Grid1(1000, 1), nil, hetero.RunConfig{})
		require.NoError(t, err)
		job.once(t)
		for i, want := range []string{"twin 1", "other", "twin 2"} {
			require.Equal(t, want, p.Devices()[i].Name)
			require.Equal(t, want, rep.Devices[i].Name)
		}
		require.Equal(t, rep.Devices[0].ID, rep.Devices[2].ID, "what is learned of one is of use for the other")
	})
}
