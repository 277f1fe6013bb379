package random

import (
	"context"
	"fmt"
	"math"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/kernels/internal/library"
	"github.com/tandem-go/tandem/kernels/scan"
	"github.com/tandem-go/tandem/kernels/sort"
)

// Permutation queues filling dst with the numbers from 0 up to its length in random order: those that sort as many random words of 64
// bits, with equal words in ascending order. Every order has the same probability up to equal words, of which there is a pair with
// probability n²/2^65. Philox only.
func Permutation[I sort.Index](ctx context.Context, g *Generator, dst *cuda.Buffer[I], s *cuda.Stream) error {
	return g.take(ctx, "permutation", dst, func(c *call) error { return arrange[I, uint64](c, dst, nil, s) })
}

// Shuffle queues copying the elements of src to dst in random order; dst may be src. The order is that of Permutation. Philox only.
func Shuffle[T sort.Value](ctx context.Context, g *Generator, dst, src *cuda.Buffer[T], s *cuda.Stream) error {
	return g.take(ctx, "shuffle", dst, func(c *call) error {
		err := library.On(g.l.lib, "src", src)
		if err == nil {
			err = library.Length("dst", dst.Len(), "src", src.Len())
		}
		if err == nil {
			err = library.ApartOrSame(dst, "dst", src, "src")
		}
		if err != nil {
			return err
		}
		if bytes[T]() == 4 {
			return shuffle[uint32](c, dst, src, s)
		}
		return shuffle[uint64](c, dst, src, s)
	})
}

// shuffle moves elements as words of their size.
func shuffle[W uint32 | uint64, T sort.Value](c *call, dst, src *cuda.Buffer[T], s *cuda.Stream) error {
	if library.Same(dst, src) {
		whole, part, err := temp[T](c)
		if err != nil {
			return err
		}
		defer whole.Close()
		if err := cuda.Copy[T](part, src, s); err != nil {
			return err
		}
		src = part
	}
	from, err := cuda.Reinterpret[W](src)
	if err != nil {
		return err
	}
	return arrange(c, dst, from, s)
}

// temp is temporary memory for the elements of a call: all of it, for Close, and as many elements as there are.
func temp[T cuda.Element](c *call) (whole, part *cuda.Buffer[T], err error) {
	if whole, err = library.Temp[T](c.g.l.lib, c.n); err != nil {
		return nil, nil, err
	}
	if part, err = whole.Slice(0, c.n); err != nil {
		whole.Close()
		return nil, nil, err
	}
	return whole, part, nil
}

// arrange writes the numbers of as many random words of 64 bits as dst has elements in the order of the words, or if there are
// values, the values with these numbers. It sorts the high halves with their numbers; the low ones are drawn again where high ones
// are equal.
func arrange[T cuda.Element, W uint32 | uint64](c *call, dst *cuda.Buffer[T], values *cuda.Buffer[W], s *cuda.Stream) error {
	if err := c.philox(); err != nil {
		return err
	}
	high, keys, err := temp[uint32](c)
	if err != nil {
		return err
	}
	defer high.Close()
	order, numbers, err := temp[int32](c)
	if err != nil {
		return err
	}
	defer order.Close()
	if err := c.launch("integers", "high_words", c.grid(groupWords/2), s, c.args(keys, domainKeys)); err != nil {
		return err
	}
	if err := sort.KeysAndArg(c.ctx, c.g.l.sorts, 1, sort.Ascending, keys, numbers, keys, s); err != nil {
		return err
	}
	kernel := "arrange4"
	if bytes[T]() == 8 {
		kernel = "arrange8"
	}
	return c.launch("integers", kernel, (c.n+threads-1)/threads, s, c.args(dst, domainKeys), keys, numbers, values)
}

// Sample queues filling dst with different numbers from 0 up to n, not included: the first of a random order of n. It takes n
// numbers of the generator. dst longer than n is an error that wraps cuda.ErrLength. O(n). Philox only.
func Sample[I sort.Index](ctx context.Context, g *Generator, n int, dst *cuda.Buffer[I], s *cuda.Stream) error {
	if n < 0 || dst.Len() > n {
		return fmt.Errorf("sample: %d different numbers of %d: %w", dst.Len(), n, cuda.ErrLength)
	}
	all, err := library.Temp[I](g.l.lib, n)
	if err != nil {
		return fmt.Errorf("sample: %w", err)
	}
	defer all.Close()
	whole, err := all.Slice(0, n)
	if err != nil {
		return fmt.Errorf("sample: %w", err)
	}
	if err := Permutation(ctx, g, whole, s); err != nil {
		return fmt.Errorf("sample: %w", err)
	}
	part, err := all.Slice(0, dst.Len())
	if err == nil {
		err = cuda.Copy[I](dst, part, s)
	}
	if err != nil {
		return fmt.Errorf("sample: %w", err)
	}
	return nil
}

// Choice queues filling dst with numbers from 0 up to len(weights), not included, each with a probability in proportion to its
// weight, independently: the first number whose sum of weights up to it exceeds a uniform number. Weights are not negative, and their sum is positive
// and finite, else the error wraps cuda.ErrInvalidValue. It waits for that sum. O(len(weights) + len(dst)·log len(weights)).
// For equal weights use Integers.
func Choice[I sort.Index](ctx context.Context, g *Generator, weights *cuda.Buffer[float64], dst *cuda.Buffer[I], s *cuda.Stream) error {
	if err := choose(ctx, g, weights, dst, s); err != nil {
		return fmt.Errorf("choice: %w", err)
	}
	return nil
}

func choose[I sort.Index](ctx context.Context, g *Generator, weights *cuda.Buffer[float64], dst *cuda.Buffer[I], s *cuda.Stream) error {
	n := weights.Len()
	if n == 0 {
		return fmt.Errorf("no weights: %w", cuda.ErrInvalidValue)
	}
	sums, err := library.Temp[float64](g.l.lib, n)
	if err != nil {
		return err
	}
	defer sums.Close()
	line, err := sums.Slice(0, n)
	if err != nil {
		return err
	}
	var ends [2]float64 // the least weight and the sum
	for i, op := range []scan.Op{scan.Min, scan.Add} {
		if err := scan.Inclusive(ctx, g.l.scans, op, line, weights, s); err != nil {
			return err
		}
		last, err := line.Slice(n-1, n)
		if err != nil {
			return err
		}
		end, err := last.Download(ctx)
		if err != nil {
			return err
		}
		ends[i] = end[0]
	}
	if !(ends[0] >= 0) || !(ends[1] > 0) || math.IsInf(ends[1], 0) {
		return fmt.Errorf("the least weight is %v, the sum %v: want none negative, and a positive finite sum: %w", ends[0], ends[1], cuda.ErrInvalidValue)
	}
	u, err := library.Temp[float64](g.l.lib, dst.Len())
	if err != nil {
		return err
	}
	defer u.Close()
	points, err := u.Slice(0, dst.Len())
	if err != nil {
		return err
	}
	// Below the sum, so that there is a sum that exceeds it.
	if err := Uniform(ctx, g, 0, math.Nextafter(ends[1], 0), points, s); err != nil {
		return err
	}
	return sort.Search(ctx, g.l.sorts, sort.Right, dst, line, points, s)
}
