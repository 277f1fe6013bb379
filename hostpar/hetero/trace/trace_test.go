package trace_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/hetero/heterotest"
	"github.com/tandem-go/tandem/hostpar/hetero/policy"
	"github.com/tandem-go/tandem/hostpar/hetero/trace"
)

type event struct {
	Ph, Name string
	Pid, Tid int
	Ts, Dur  float64
	ID       uint64
	Args     map[string]any
}

func read(t *testing.T, r *trace.Recorder) []event {
	t.Helper()
	var b bytes.Buffer
	n, err := r.WriteTo(&b)
	require.NoError(t, err)
	require.EqualValues(t, b.Len(), n)
	var out struct{ TraceEvents []event }
	d := json.NewDecoder(&b)
	require.NoError(t, d.Decode(&out))
	return out.TraceEvents
}

// TestTimeline records a simulated run with a failure and holds its timeline against the run.
func TestTimeline(t *testing.T) {
	r := trace.New(0)
	r.Name(0, `the "CPU"`+"\n")
	r.Name(1, "GPU")
	done, id := 0, uint64(0)
	res, err := heterotest.Run(heterotest.Job{Items: 1 << 20, Noise: 0.1, Seed: 5, Policy: policy.Adaptive(policy.AdaptiveConfig{}),
		Trace: func(c heterotest.Chunk) {
			id++
			r.Span(trace.Span{Device: c.Device, Lo: c.Lo, Hi: c.Hi, Start: c.Start, End: c.End, Chunk: id, Why: c.Why.String()})
			if !c.OK {
				r.Mark(c.Device, "failed", c.End)
				return
			}
			done += c.Hi - c.Lo
			r.Count(c.Device, "done", c.End, float64(done))
		}},
		heterotest.Device{Rate: 1e6, Overhead: 5000}, heterotest.Device{Rate: 3e6, Overhead: 40_000, FailAt: 100 * time.Millisecond})
	require.NoError(t, err)

	events := read(t, r)
	names, items, ends, marks := map[int]string{}, 0, map[[2]int]float64{}, 0
	for _, e := range events {
		switch e.Ph {
		case "M":
			if e.Name == "process_name" {
				names[e.Pid] = e.Args["name"].(string)
			}
		case "X":
			lane := [2]int{e.Pid, e.Tid}
			require.GreaterOrEqual(t, e.Ts+1e-6, ends[lane], "spans of a lane do not overlap")
			ends[lane] = e.Ts + e.Dur
			items += int(e.Args["items"].(float64))
			require.NotEmpty(t, e.Args["why"])
		case "i":
			marks++
		}
	}
	require.Equal(t, map[int]string{0: "the \"CPU\"\n", 1: "GPU"}, names)
	require.Equal(t, 1<<20+res.Lost, items)
	require.Positive(t, res.Lost)
	require.Equal(t, 1, marks)
	require.InDelta(t, float64(res.Makespan)/1e3, max(ends[[2]int{0, 0}], ends[[2]int{1, 0}]), 1e-2)
	require.Zero(t, r.Dropped())
}

func TestChunksAreJoinedByArrows(t *testing.T) {
	r := trace.New(16)
	for i, k := range []trace.Kind{trace.Load, trace.Compute, trace.Store, trace.Commit} {
		r.Span(trace.Span{Lane: i, Kind: k, Chunk: 7, Start: time.Duration(i), End: time.Duration(i + 1)})
	}
	flows := ""
	for _, e := range read(t, r) {
		if e.Ph == "s" || e.Ph == "t" {
			flows += e.Ph
			require.EqualValues(t, 7, e.ID)
		}
	}
	require.Equal(t, "sttt", flows)
}

func TestTheNewestStay(t *testing.T) {
	r := trace.New(100)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 250 {
				r.Span(trace.Span{Device: g, Chunk: uint64(i)})
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 900, r.Dropped())
	require.Len(t, r.Spans(), 100)
	r.Span(trace.Span{Chunk: 4711})
	require.EqualValues(t, 4711, r.Spans()[99].Chunk)
}

func TestAnyNameIsJSON(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for range 300 {
		name := make([]byte, rnd.IntN(12))
		for i := range name {
			name[i] = byte(rnd.IntN(256))
		}
		r := trace.New(4)
		r.Name(0, string(name))
		r.NameLane(0, 0, string(name))
		r.Span(trace.Span{Why: string(name)})
		r.Mark(0, string(name), 1)
		require.Len(t, read(t, r), 4)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWriteErrorIsReturned(t *testing.T) {
	_, err := trace.New(1).WriteTo(broken{})
	require.ErrorContains(t, err, "disk full")
}

func TestNilRecordsNothing(t *testing.T) {
	var r *trace.Recorder
	r.Name(0, "x")
	r.NameLane(0, 0, "x")
	r.Span(trace.Span{})
	r.Count(0, "x", 0, 1)
	r.Mark(0, "x", 0)
}

func BenchmarkSpan(b *testing.B) {
	r := trace.New(0)
	b.ReportAllocs()
	for b.Loop() {
		r.Span(trace.Span{Hi: 5, End: 7})
	}
}
