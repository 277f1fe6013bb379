// Package sort sorts arrays in device memory, stably, and has what follows from it: permutations that sort, distinct elements
// and their numbers, the first k, histograms and binary search.
//
// Keys are ordered as NumPy orders them: -Inf … -0 = 0 … Inf, NaN; all NaNs are equal. Equal keys keep their order. Descending
// is the exact reverse of the order of unequal keys, so NaN comes first; equal keys still keep their order.
//
// Lines of more than 2,048 keys are sorted by radix, eight bits at a time from the lowest (Knuth, The Art of Computer Programming,
// volume 3, section 5.2.5): 4 or 8 passes, each of which counts the digits of runs of neighbours, sums the counts and moves every
// key to its place; O(n) time, and temporary memory for one more copy of keys and values. Shorter lines are sorted in
// shared memory: by radix on the host device, on a GPU by a network, O(n log² n). The result does not depend on how the work was divided, so every device gives the
// same bits.
//
// Temporary memory belongs to a pool of the Library. Calls queue their work on a stream (nil is the default stream) and return,
// except for those that say that they wait. The context bounds the loading of kernels, and such waits. Operands of different
// lengths, on other devices or that overlap where they must not are errors that name the numbers; then nothing is queued.
package sort

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/kernels/internal/library"
	"github.com/tandem-go/tandem/kernels/scan"
)

//go:generate go test -run TestEmbedded -args -rewrite
//go:embed sort.zip
var archive []byte

// Key is what can be sorted.
type Key interface {
	float32 | float64 | int32 | uint32 | int64 | uint64
}

// Value is what can go along with a key: 4 or 8 bytes.
type Value interface {
	float32 | float64 | int32 | uint32 | int64 | uint64 | complex64
}

// Index is the types of numbers of elements.
type Index interface{ int32 | int64 }

// Order is the direction.
type Order int

// The orders.
const (
	Ascending Order = iota
	Descending
)

// Library is sorting on one device. It may be used from any goroutine.
type Library struct {
	lib  *library.Library
	scan *scan.Library

	likeGPU bool // for tests: kernels and shapes as on a GPU
}

// New returns the sorts of a device. Kernels are loaded when they are first needed. The caller may close the Library, and need
// not.
func New(dev *cuda.Device) *Library {
	return &Library{lib: library.New(dev, "sort.zip", archive), scan: scan.New(dev)}
}

// Close unloads the kernels and frees temporary memory. Work that is queued goes on; a second Close does nothing.
func (l *Library) Close() error {
	err := l.lib.Close()
	if e := l.scan.Close(); err == nil {
		err = e
	}
	return err
}

// Keys queues sorting each of rows lines of src, which follow one another in memory, into dst, which may be src.
func Keys[K Key](ctx context.Context, l *Library, rows int, order Order, dst, src *cuda.Buffer[K], s *cuda.Stream) error {
	c, err := newCall(ctx, l, "sort", rows, order, src, s)
	if err == nil {
		err = into(l.lib, "dst", dst, "src", src)
	}
	if err == nil && c.n > 0 {
		err = sortLines[K, uint32](c, dst, src, nil, nil, none)
	}
	return c.fail(err)
}

// Pairs queues sorting keys, and values along with them. keys may be srcKeys and values srcValues.
func Pairs[K Key, V Value](ctx context.Context, l *Library, rows int, order Order, keys *cuda.Buffer[K], values *cuda.Buffer[V],
	srcKeys *cuda.Buffer[K], srcValues *cuda.Buffer[V], s *cuda.Stream) error {
	c, err := newCall(ctx, l, "sort pairs", rows, order, srcKeys, s)
	for _, check := range []func() error{
		func() error { return into(l.lib, "keys", keys, "srcKeys", srcKeys) },
		func() error { return into(l.lib, "values", values, "srcValues", srcValues) },
		func() error { return library.Length("values", values.Len(), "keys", keys.Len()) },
		func() error { return library.Apart(keys, "keys", values, "values") },
		func() error { return library.Apart(keys, "keys", srcValues, "srcValues") },
		func() error { return library.Apart(values, "values", srcKeys, "srcKeys") },
	} {
		if err == nil {
			err = check()
		}
	}
	if err == nil && c.n > 0 {
		if size[V]() == 4 {
			err = sortWith[K, uint32](c, keys, srcKeys, values, srcValues)
		} else {
			err = sortWith[K, uint64](c, keys, srcKeys, values, srcValues)
		}
	}
	return c.fail(err)
}

// Arg queues finding, for each line of src, the numbers of its elements (from 0 in each line) in the order that sorts it:
// dst[i] is the number of the i-th smallest. src is not changed. Lines of more elements than I can number are an error.
func Arg[K Key, I Index](ctx context.Context, l *Library, rows int, order Order, dst *cuda.Buffer[I], src *cuda.Buffer[K], s *cuda.Stream) error {
	c, err := newCall(ctx, l, "argsort", rows, order, src, s)
	if err == nil {
		err = apart(l.lib, "dst", dst, "src", src)
	}
	if err == nil && c.n > 0 {
		err = numbered(c, nil, dst, src)
	}
	return c.fail(err)
}

// KeysAndArg queues Keys and Arg at once: dst[i] is the i-th smallest of a line, index[i] its number. dst may be src.
func KeysAndArg[K Key, I Index](ctx context.Context, l *Library, rows int, order Order, dst *cuda.Buffer[K], index *cuda.Buffer[I],
	src *cuda.Buffer[K], s *cuda.Stream) error {
	c, err := newCall(ctx, l, "sort with numbers", rows, order, src, s)
	if err == nil {
		err = into(l.lib, "dst", dst, "src", src)
	}
	if err == nil {
		err = apart(l.lib, "index", index, "src", src)
	}
	if err == nil {
		err = library.Apart(index, "index", dst, "dst")
	}
	if err == nil && c.n > 0 {
		err = numbered(c, dst, index, src)
	}
	return c.fail(err)
}

// numbered sorts the numbers of 4 or 8 bytes of keys, and the keys if dst is not nil.
func numbered[K Key, I Index](c *call[K], dst *cuda.Buffer[K], index *cuda.Buffer[I], src *cuda.Buffer[K]) error {
	if size[I]() == 4 {
		return argWith[K, uint32](c, dst, index, src)
	}
	return argWith[K, uint64](c, dst, index, src)
}

// apart checks an output of as many elements as an input that is other memory.
func apart[A, B cuda.Element](l *library.Library, outName string, out *cuda.Buffer[A], inName string, in *cuda.Buffer[B]) error {
	if err := library.On(l, outName, out); err != nil {
		return err
	}
	if err := library.Length(outName, out.Len(), inName, in.Len()); err != nil {
		return err
	}
	return library.Apart(out, outName, in, inName)
}

// into checks an output that may be its input.
func into[T cuda.Element](l *library.Library, outName string, out *cuda.Buffer[T], inName string, in *cuda.Buffer[T]) error {
	if err := library.On(l, outName, out); err != nil {
		return err
	}
	if err := library.Length(outName, out.Len(), inName, in.Len()); err != nil {
		return err
	}
	return library.ApartOrSame(out, outName, in, inName)
}

// String names the order.
func (o Order) String() string {
	switch o {
	case Ascending:
		return "ascending"
	case Descending:
		return "descending"
	}
	return fmt.Sprintf("Order(%d)", int(o))
}
