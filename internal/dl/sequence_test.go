//go:build !tandem_nodl

package dl_test

import (
	"runtime"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/dl"
)

// recorder is a C function that notes what it is called with.
type recorder struct {
	calls  [][11]uintptr
	answer func(call int) int32
}

func (r *recorder) address(t *testing.T) dl.Func {
	t.Helper()
	fn, err := dl.NewCallback(func(a, b, c, d, e, f, g, h, i, j, k uintptr) uintptr {
		r.calls = append(r.calls, [11]uintptr{a, b, c, d, e, f, g, h, i, j, k})
		runtime.GC() // which looks at the stack below C
		// The upper half of a register that holds a C int may have anything in it.
		return uintptr(uint32(r.answer(len(r.calls)))) | 0xbad<<32
	})
	require.NoError(t, err)
	return dl.Func(fn)
}

// A sequence ends where a result or a flag says so, calls with all arguments, and repeats as often as it may.
func TestSequence(t *testing.T) {
	r := &recorder{}
	fn := r.address(t)
	flag := new(int32)
	s := new(dl.Sequence)
	for _, c := range []struct {
		name   string
		times  []uint64 // for each step; a step with times has the flag
		answer func(call int) int32
		at     int
		calls  int
	}{
		{"nothing", nil, nil, 0, 0},
		{"each once", []uint64{0, 0, 0}, func(int) int32 { return 0 }, 3, 3},
		{"failure", []uint64{0, 0, 0}, func(call int) int32 { return int32(call - 1) }, 1, 2},
		{"negative", []uint64{0, 0}, func(int) int32 { return -1 }, 0, 1},
		{"flag in time", []uint64{0, 5, 0}, func(call int) int32 {
			if call == 4 {
				*flag = 1
			}
			return 0
		}, 3, 5},
		{"flag too late", []uint64{5, 0}, func(int) int32 { return 0 }, 0, 5},
		{"flag of once", []uint64{1}, func(int) int32 { return 0 }, 0, 1},
		{"flag at last", []uint64{3, 0}, func(call int) int32 {
			if call == 3 {
				*flag = -1
			}
			return 0
		}, 2, 4},
		{"failure while it repeats", []uint64{9, 0}, func(call int) int32 { return int32(call / 3) }, 0, 3},
		{"full", make([]uint64, dl.MaxSteps), func(int) int32 { return 0 }, dl.MaxSteps, dl.MaxSteps},
	} {
		for name, run := range map[string]func() int{"assembly": s.Run, "one by one": s.RunOneByOne} {
			t.Run(c.name+", "+name, func(t *testing.T) {
				*flag, r.calls, r.answer = 0, nil, c.answer
				s.Reset()
				for i, times := range c.times {
					step := s.Add()
					*step = dl.Step{Fn: fn, Times: times}
					if times > 0 {
						step.Flag = uintptr(unsafe.Pointer(flag))
					}
					for j := range step.Args {
						step.Args[j] = uintptr(100*i+j) | 0xfeed<<48
					}
				}
				require.Equal(t, len(c.times), s.Len())
				require.Equal(t, c.at, run())
				require.Len(t, r.calls, c.calls)
				for i, args := range r.calls {
					step := args[0] & 0xffff / 100
					for j, a := range args {
						require.Equal(t, uintptr(100*step+uintptr(j))|0xfeed<<48, a, "call %d", i)
					}
					if i > 0 {
						require.LessOrEqual(t, r.calls[i-1][0], args[0])
					}
				}
				if c.at < len(c.times) {
					require.Equal(t, c.answer(c.calls), s.Step(c.at).Result)
				}
			})
		}
	}
}

func TestSequenceDoesNotAllocate(t *testing.T) {
	abs := symbol(t, open(t, libc), "abs")
	s := new(dl.Sequence)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		s.Reset()
		step := s.Add()
		*step = dl.Step{Fn: abs, Args: [11]uintptr{0}}
		s.Run()
	}))
}

func BenchmarkSequence(b *testing.B) {
	abs := symbol(b, open(b, libc), "abs")
	s, flag := new(dl.Sequence), new(int32)
	for _, n := range []uint64{1, 10} {
		b.Run(map[uint64]string{1: "one call", 10: "ten calls"}[n], func(b *testing.B) {
			for b.Loop() {
				s.Reset()
				*s.Add() = dl.Step{Fn: abs, Flag: uintptr(unsafe.Pointer(flag)), Times: n}
				s.Run()
			}
		})
	}
}
