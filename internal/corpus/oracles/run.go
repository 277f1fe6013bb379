package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/tandem-go/tandem/cuda"
)

// run is one check under way. After the first error its methods do nothing.
type run struct {
	ctx context.Context
	dev *cuda.Device
	mod *cuda.Module
	rng *rand.Rand

	arrays      []memory
	closers     []func() error
	launched    map[string]bool
	ran         []launch
	err         error
	compared    bool // something was compared that is no array
	differences []string
}

// launch is a kernel and what executed it.
type launch struct{ kernel, engine string }

func newRun(ctx context.Context, dev *cuda.Device, mod *cuda.Module, seed uint64) *run {
	return &run{ctx: ctx, dev: dev, mod: mod, rng: rand.New(rand.NewPCG(seed, 0x7f4a7c15)), launched: map[string]bool{}}
}

// do runs c and then holds that all its kernels were launched and that nothing else was written.
func (r *run) do(c check) {
	c.run(r)
	for name := range strings.FieldsSeq(c.kernels) {
		if !r.launched[name] && r.err == nil {
			r.err = fmt.Errorf("the check does not launch %s", name)
		}
	}
	expected := r.compared
	for _, a := range r.arrays {
		if r.err == nil && !a.settled() && !a.free() {
			a.unchanged(r)
		}
		expected = expected || a.settled()
		a.close(r)
	}
	for _, c := range slices.Backward(r.closers) {
		r.fail(c())
	}
	if !expected && r.err == nil {
		r.err = fmt.Errorf("the check expects nothing")
	}
}

func (r *run) fail(err error) {
	if r.err == nil && err != nil {
		r.err = err
	}
}

func (r *run) differ(format string, args ...any) {
	if len(r.differences) < 4 {
		r.differences = append(r.differences, fmt.Sprintf(format, args...))
	}
}

// memory is an array, whatever its elements.
type memory interface {
	argument() any
	settled() bool
	free() bool
	unchanged(*run)
	close(*run)
}

// array is device memory with what it contained at first.
type array[T cuda.Element] struct {
	name string
	buf  *cuda.Buffer[T]
	view *cuda.Buffer[T] // what a kernel gets, if it is not all of buf
	lead int             // elements of buf before it
	was  []T             // what it contained at first
	held bool            // an expectation was checked
	// spare memory is work space of the kernels: what it contains in the end is no result.
	spare bool
}

// give makes device memory with a copy of data.
func give[T cuda.Element](r *run, name string, data []T) *array[T] {
	a := &array[T]{name: name, was: slices.Clone(data)}
	if r.err == nil {
		var err error
		a.buf, err = cuda.Upload(r.ctx, r.dev, data)
		r.fail(err)
	}
	r.arrays = append(r.arrays, a)
	return a
}

// room makes memory for results, filled with a value that no kernel computes.
func room[T cuda.Element](r *run, name string, n int, bad T) *array[T] {
	return give(r, name, slices.Repeat([]T{bad}, n))
}

// scratch is work space.
func scratch[T cuda.Element](r *run, name string, n int) *array[T] {
	a := give(r, name, make([]T, n))
	a.spare = true
	return a
}

// inside is give with room before and after: for kernels that read beyond the ends, and do not use what they read there.
func inside[T cuda.Element](r *run, name string, data []T, before, after int) *array[T] {
	all := slices.Concat(make([]T, before), data, make([]T, after))
	a := give(r, name, all)
	a.was, a.lead = slices.Clone(data), before
	if r.err == nil {
		var err error
		a.view, err = a.buf.Slice(before, before+len(data))
		r.fail(err)
	}
	return a
}

func (a *array[T]) argument() any {
	if a.view != nil {
		return a.view
	}
	return a.buf
}

func (a *array[T]) settled() bool { return a.held }
func (a *array[T]) free() bool    { return a.spare }
func (a *array[T]) close(r *run) {
	if a.buf != nil {
		r.fail(a.buf.Close())
	}
}

// now is what the array contains.
func (a *array[T]) now(r *run) []T {
	if r.err != nil {
		return slices.Clone(a.was)
	}
	got, err := a.buf.Download(r.ctx)
	r.fail(err)
	if err != nil {
		return slices.Clone(a.was)
	}
	return got[a.lead : a.lead+len(a.was)]
}

func (a *array[T]) unchanged(r *run) {
	got := a.now(r)
	for i := range got {
		if r.err == nil && got[i] != a.was[i] && got[i] == got[i] {
			r.differ("%s[%d] is %v, was %v and is not written", a.name, i, got[i], a.was[i])
			return
		}
	}
}

// launch runs a kernel. Arguments are arrays and numbers.
func (r *run) launch(kernel string, grid, block cuda.Dim3, args ...any) {
	r.launchShared(kernel, grid, block, 0, args...)
}

// launchShared is launch with dynamic shared memory.
func (r *run) launchShared(kernel string, grid, block cuda.Dim3, sharedBytes int, args ...any) {
	if r.err != nil {
		return
	}
	f, err := r.mod.Function(kernel)
	if err != nil {
		r.fail(err)
		return
	}
	args = slices.Clone(args)
	for i, a := range args {
		if m, ok := a.(memory); ok {
			args[i] = m.argument()
		}
	}
	r.fail(f.Run(r.ctx, cuda.LaunchConfig{Grid: grid, Block: block, SharedBytes: sharedBytes}, args...))
	base, _, _ := strings.Cut(kernel, "<")
	r.launched[base] = true
	r.ran = append(r.ran, launch{base, f.Engine()})
}

// set writes a variable of the module.
func set[T cuda.Element](r *run, name string, data []T) {
	if r.err != nil {
		return
	}
	g, err := r.mod.Global(name)
	if err != nil {
		r.fail(err)
		return
	}
	v, err := cuda.Reinterpret[T](g)
	if err != nil {
		r.fail(err)
		return
	}
	if v, err = v.Slice(0, len(data)); err != nil {
		r.fail(err)
		return
	}
	r.fail(v.CopyFrom(r.ctx, data))
}

// read returns a variable of the module.
func read[T cuda.Element](r *run, name string, n int) []T {
	if r.err != nil {
		return make([]T, n)
	}
	g, err := r.mod.Global(name)
	r.fail(err)
	if err != nil {
		return make([]T, n)
	}
	v, err := cuda.Reinterpret[T](g)
	if err == nil {
		v, err = v.Slice(0, n)
	}
	if err != nil {
		r.fail(err)
		return make([]T, n)
	}
	got, err := v.Download(r.ctx)
	r.fail(err)
	if err != nil {
		return make([]T, n)
	}
	return got
}

// exact holds the array against want, element by element. An expectation that the initial contents meet is an error of the
// check: a kernel that does nothing would pass.
func (a *array[T]) exact(r *run, want []T) {
	got := a.now(r)
	a.held = true
	if r.err != nil {
		return
	}
	if len(want) != len(got) {
		r.fail(fmt.Errorf("%s: %d elements expected of %d", a.name, len(want), len(got)))
		return
	}
	if slices.Equal(want, a.was) {
		r.fail(fmt.Errorf("%s: the expectation is what was there before", a.name))
	}
	wrong := 0
	for i := range want {
		if got[i] != want[i] && (got[i] == got[i] || want[i] == want[i]) {
			if wrong++; wrong == 1 {
				r.differ("%s[%d] is %v, want %v", a.name, i, got[i], want[i])
			}
		}
	}
	if wrong > 1 {
		r.differ("%s: %d of %d elements differ", a.name, wrong, len(want))
	}
}

// same compares results that are no array, or that were put into an order.
func same[T comparable](r *run, name string, got, want []T) {
	r.compared = true
	if r.err == nil && !slices.Equal(got, want) {
		at := 0
		for at < min(len(got), len(want)) && got[at] == want[at] {
			at++
		}
		r.differ("%s: %d values, want %d, which differ from number %d on", name, len(got), len(want), at)
	}
}

// within holds an array of floats against numbers with bounds.
func within[T float32 | float64](r *run, a *array[T], want []approx) {
	got := a.now(r)
	a.held = true
	if r.err != nil {
		return
	}
	if len(want) != len(got) {
		r.fail(fmt.Errorf("%s: %d elements expected of %d", a.name, len(want), len(got)))
		return
	}
	wrong, idle, loose := 0, true, 0
	for i, w := range want {
		d := math.Abs(float64(got[i]) - w.v)
		if !(d <= w.e) {
			if wrong++; wrong == 1 {
				r.differ("%s[%d] is %v, want %v within %.3g", a.name, i, got[i], w.v, w.e)
			}
		}
		if !(math.Abs(float64(a.was[i])-w.v) <= w.e) {
			idle = false
		}
		if w.e > 0.01*math.Abs(w.v) {
			loose++
		}
	}
	if wrong > 1 {
		r.differ("%s: %d of %d elements differ", a.name, wrong, len(want))
	}
	if idle {
		r.fail(fmt.Errorf("%s: the expectation holds before the launch", a.name))
	}
	if loose > len(want)/2 {
		r.fail(fmt.Errorf("%s: %d of %d bounds are wider than a hundredth of the value", a.name, loose, len(want)))
	}
}

// Inputs.

// smallInts are whole numbers of at most limit in magnitude, whose sums and products stay exact in floating point.
func smallInts[T float32 | float64](r *run, n, limit int) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = T(r.rng.IntN(2*limit+1) - limit)
	}
	return x
}

// between are numbers drawn evenly from an interval.
func between[T float32 | float64](r *run, n int, lo, hi float64) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = T(lo + (hi-lo)*r.rng.Float64())
	}
	return x
}

// integers are drawn from 0 to limit-1.
func integers[T int32 | uint32 | uint8 | int64](r *run, n int, limit int64) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = T(r.rng.Int64N(limit))
	}
	return x
}

// table is f of each index.
func table[T any](n int, f func(i int) T) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = f(i)
	}
	return x
}

// cover is the number of blocks of size threads that cover n elements.
func cover(n, threads int) int { return (n + threads - 1) / threads }

// cover2 is a grid over nx by ny elements.
func cover2(nx, ny int, block cuda.Dim3) cuda.Dim3 {
	return cuda.D2(cover(nx, block.X), cover(ny, block.Y))
}
