// Package scan has running sums, products, minima and maxima of arrays in device memory: inclusive and exclusive, of the whole
// array, of each row of a matrix, and of runs that begin where the caller says.
//
// For an associative operation ∘, the inclusive scan of x is y[i] = x[0] ∘ … ∘ x[i], the exclusive one with first
// value f is y[i] = f ∘ x[0] ∘ … ∘ x[i-1]. All take time in proportion to the number of elements, read them twice and write
// them once. A warp scans rows of 32 neighbours by doubling (Hillis and Steele, Data Parallel Algorithms, 1986), which it chains
// to segments of 2,048; the totals of segments are scanned in the same way (Blelloch, Prefix Sums and Their Applications, 1990).
//
// The order of operations depends on the lengths only, so that every device gives the same bits. Integers wrap. A sum of
// floating-point numbers has an error of at most d·u·Σ|x[j]| over the summed elements to first order, where u is 2^-24 or
// 2^-53 and d = 88·⌈log n / log 2048⌉, because no summand takes part in more additions (Higham, Accuracy and Stability of Numerical
// Algorithms, section 4.2). Products have that bound for their relative error.
// Minimum and maximum are NaN from the first NaN on, as NumPy's are, and of equal numbers (0 and -0) keep the first.
package scan

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/kernels/internal/library"
)

//go:generate go test -run TestEmbedded -args -rewrite
//go:embed scan.zip
var archive []byte

// Number is what scans compute with.
type Number interface {
	float32 | float64 | int32 | uint32 | int64 | uint64
}

// Op is an associative operation.
type Op int

// The operations.
const (
	Add Op = iota
	Mul
	Min
	Max
)

var opNames = [...]string{"add", "mul", "min", "max"}

// String names the operation: "add".
func (op Op) String() string {
	if op < 0 || int(op) >= len(opNames) {
		return fmt.Sprintf("Op(%d)", int(op))
	}
	return opNames[op]
}

// Library is the scans on one device. It may be used from any goroutine.
type Library struct{ lib *library.Library }

// New returns the scans of a device. Kernels are loaded when they are first needed. The caller may close the Library, and need
// not.
func New(dev *cuda.Device) *Library { return &Library{library.New(dev, "scan.zip", archive)} }

// Close unloads the kernels. Work that is queued goes on; a second Close does nothing.
func (l *Library) Close() error { return l.lib.Close() }

// Inclusive queues dst[i] = src[0] ∘ … ∘ src[i] on the stream; nil is the default stream. dst may be src; if they overlap in
// another way, or are on another device, or differ in length, the error says so and nothing is queued. ctx bounds the loading
// of kernels.
func Inclusive[T Number](ctx context.Context, l *Library, op Op, dst, src *cuda.Buffer[T], s *cuda.Stream) error {
	return InclusiveRows(ctx, l, op, 1, dst, src, s)
}

// Exclusive queues dst[i] = first ∘ src[0] ∘ … ∘ src[i-1]; dst[0] is first. The rest is as for Inclusive.
func Exclusive[T Number](ctx context.Context, l *Library, op Op, first T, dst, src *cuda.Buffer[T], s *cuda.Stream) error {
	return ExclusiveRows(ctx, l, op, first, 1, dst, src, s)
}

// InclusiveRows is Inclusive for each row of a matrix, whose rows follow one another in memory. The error wraps cuda.ErrLength
// if the number of elements is not a multiple of rows.
func InclusiveRows[T Number](ctx context.Context, l *Library, op Op, rows int, dst, src *cuda.Buffer[T], s *cuda.Stream) error {
	c, err := newCall(ctx, l, "inclusive scan", op, rows, dst, src, s)
	if err != nil || c.n == 0 {
		return err
	}
	return c.fail(scanRows(c, "inclusive", c.neutral, dst, src))
}

// ExclusiveRows is Exclusive for each row of a matrix, whose rows follow one another in memory. The error wraps
// cuda.ErrLength if the number of elements is not a multiple of rows.
func ExclusiveRows[T Number](ctx context.Context, l *Library, op Op, first T, rows int, dst, src *cuda.Buffer[T], s *cuda.Stream) error {
	c, err := newCall(ctx, l, "exclusive scan", op, rows, dst, src, s)
	if err != nil || c.n == 0 {
		return err
	}
	return c.fail(scanRows(c, "exclusive", first, dst, src))
}

// InclusiveRuns queues the inclusive scan of each run: a run begins at element 0 and wherever heads is not 0. heads has as
// many elements as src and shares no memory with dst. The rest is as for Inclusive.
func InclusiveRuns[T Number](ctx context.Context, l *Library, op Op, dst, src *cuda.Buffer[T], heads *cuda.Buffer[uint8], s *cuda.Stream) error {
	c, err := newRuns(ctx, l, "inclusive scan of runs", op, dst, src, heads, s)
	if err != nil || c.n == 0 {
		return err
	}
	return c.fail(scanRuns(c, 0, c.neutral, dst, src, heads))
}

// ExclusiveRuns queues the exclusive scan of each run, each with the first value first. The rest is as for InclusiveRuns.
func ExclusiveRuns[T Number](ctx context.Context, l *Library, op Op, first T, dst, src *cuda.Buffer[T], heads *cuda.Buffer[uint8], s *cuda.Stream) error {
	c, err := newRuns(ctx, l, "exclusive scan of runs", op, dst, src, heads, s)
	if err != nil || c.n == 0 {
		return err
	}
	return c.fail(scanRuns(c, 1, first, dst, src, heads))
}
