// Package random fills arrays in device memory with random numbers that depend on the seed and on their place only: not on the
// device, nor on how a call was divided.
//
// A Generator is a sequence of numbers for each distribution, from number 0 on. A call takes as many as its output has elements,
// beginning at the generator's index: two calls give the numbers that one call for both gives.
//
// Philox is the counter-based generator Philox 4x32-10 (Salmon and others, Parallel Random Numbers: As Easy as 1, 2, 3, 2011): the
// key is the seed; the counter has the number of the block in its first two words, the stream in the third and in the last the
// distribution and the number of the try. XORWOW is Marsaglia's (Xorshift RNGs, 2003), in subsequences that are 2^67 steps apart;
// the distributions made of a fixed number of words have it.
//
// Everything is integer arithmetic, or operations that IEEE 754 rounds correctly, in a fixed order, so every device gives the
// same bits. All calls take O(n) time, queue their work on a stream (nil is the default stream) and return; the context bounds the
// loading of kernels. Operands that are wrong are errors that name the numbers; then nothing is queued and the generator
// stays where it is.
package random

import (
	"context"
	_ "embed"
	"fmt"
	"math"
	"sync"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/kernels/internal/library"
	"github.com/tandem-go/tandem/kernels/scan"
	"github.com/tandem-go/tandem/kernels/sort"
)

//go:generate go test -run TestEmbedded -args -rewrite
//go:embed random.zip
var archive []byte

// Real is the types of continuous distributions.
type Real interface{ float32 | float64 }

// Integer is the types of discrete distributions.
type Integer interface {
	int32 | uint32 | int64 | uint64
}

// Method is how words are made.
type Method int

// The methods.
const (
	Philox Method = iota
	XORWOW
)

// String names the method.
func (m Method) String() string {
	switch m {
	case Philox:
		return "Philox 4x32-10"
	case XORWOW:
		return "XORWOW"
	}
	return fmt.Sprintf("Method(%d)", int(m))
}

// Library is random numbers on one device. It may be used from any goroutine.
type Library struct {
	lib   *library.Library
	sorts *sort.Library
	scans *scan.Library

	mu    sync.Mutex
	jumps *cuda.Buffer[uint32] // guarded by mu: of XORWOW
}

// New returns random numbers on a device. Kernels are loaded when they are first needed. The caller may close the Library, and
// need not.
func New(dev *cuda.Device) *Library {
	return &Library{lib: library.New(dev, "random.zip", archive), sorts: sort.New(dev), scans: scan.New(dev)}
}

// Close unloads the kernels and frees temporary memory. Work that is queued goes on; a second Close does nothing.
func (l *Library) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var first error
	note := func(err error) {
		if first == nil {
			first = err
		}
	}
	if l.jumps != nil {
		note(l.jumps.Close())
		l.jumps = nil
	}
	note(l.lib.Close())
	note(l.sorts.Close())
	note(l.scans.Close())
	return first
}

// Config says what a Generator is. The zero value is Philox with seed 0.
type Config struct {
	_ struct{}
	// Method makes the words.
	Method Method
	// Seed is the key of Philox; of XORWOW it is spread over the state by SplitMix64 (Steele and others, Fast Splittable
	// Pseudorandom Number Generators, 2014).
	Seed uint64
	// Stream numbers independent sequences of one seed. Of Philox it is a word of the counter; of XORWOW it changes the seed.
	Stream uint32
}

// Generator is where the next numbers come from. It may be used from any goroutine; calls take their numbers one call after the
// other.
type Generator struct {
	l   *Library
	cfg Config

	mu    sync.Mutex
	index uint64 // guarded by mu
}

// NewGenerator makes a generator at index 0. A method that does not exist is an error of its first use.
func (l *Library) NewGenerator(cfg Config) *Generator { return &Generator{l: l, cfg: cfg} }

// Index is the number that comes next.
func (g *Generator) Index() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.index
}

// Seek makes number index the next.
func (g *Generator) Seek(index uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.index = index
}

// Skip passes over n numbers.
func (g *Generator) Skip(n uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.index += n
}

// Blocks queues filling dst with Philox blocks of four words, for the counter and the key that are given and those that follow:
// the generator as Random123 defines it, without a Generator. The first word of the counter is the lowest. dst has a multiple of
// four elements.
func Blocks(ctx context.Context, l *Library, counter [4]uint32, key [2]uint32, dst *cuda.Buffer[uint32], s *cuda.Stream) error {
	if dst.Len()%4 != 0 {
		return fmt.Errorf("blocks: %d words are no blocks of 4: %w", dst.Len(), cuda.ErrLength)
	}
	if err := library.On(l.lib, "dst", dst); err != nil {
		return fmt.Errorf("blocks: %w", err)
	}
	n := dst.Len() / 4
	wide := func(lo, hi uint32) uint64 { return uint64(hi)<<32 | uint64(lo) }
	err := l.lib.Launch(ctx, "integers", "raw", (n+255)/256, 256, s, dst, uint64(n), wide(counter[0], counter[1]), wide(counter[2], counter[3]), wide(key[0], key[1]))
	if err != nil {
		return fmt.Errorf("blocks: %w", err)
	}
	return nil
}

// Words queues filling dst with random bits.
func Words[T uint32 | uint64](ctx context.Context, g *Generator, dst *cuda.Buffer[T], s *cuda.Stream) error {
	return g.take(ctx, "words", dst, func(c *call) error {
		var zero T
		if _, narrow := any(zero).(uint32); narrow {
			return words4(c, any(dst).(*cuda.Buffer[uint32]), s)
		}
		return words8(c, any(dst).(*cuda.Buffer[uint64]), s)
	})
}

// Uniform queues filling dst with numbers low + (high-low)·u, where u is a multiple of 2^-24 or 2^-53 in [0, 1), rounded once; high
// itself occurs by this rounding only. low and high are finite, low is not greater.
func Uniform[T Real](ctx context.Context, g *Generator, low, high T, dst *cuda.Buffer[T], s *cuda.Stream) error {
	return g.take(ctx, "uniform", dst, func(c *call) error {
		if !finite(low) || !finite(high) || low > high || !finite(high-low) {
			return fmt.Errorf("from %v to %v: want finite limits in order: %w", low, high, cuda.ErrInvalidValue)
		}
		return real(c, "uniform", uniform, dst, s, low, high-low)
	})
}

// Normal queues filling dst with numbers of the normal distribution, by the transform of Box and Muller from two uniform numbers to
// two normal ones: sqrt(-2 ln u) times the cosine and the sine of 2πv. The functions have errors of a few units in the last place. |z| is at
// most 6.8 for float32 and 8.6 for float64, beyond which a fraction of 2^-33 or 2^-54 of the distribution lies. deviation is not
// negative.
func Normal[T Real](ctx context.Context, g *Generator, mean, deviation T, dst *cuda.Buffer[T], s *cuda.Stream) error {
	return g.take(ctx, "normal", dst, func(c *call) error {
		if !finite(mean) || !finite(deviation) || deviation < 0 {
			return fmt.Errorf("mean %v, deviation %v: want finite numbers, the deviation not negative: %w", mean, deviation, cuda.ErrInvalidValue)
		}
		return real(c, "normal", normal, dst, s, mean, deviation)
	})
}

// LogNormal queues filling dst with e^z for the numbers z that Normal gives with the same mean and deviation.
func LogNormal[T Real](ctx context.Context, g *Generator, mean, deviation T, dst *cuda.Buffer[T], s *cuda.Stream) error {
	return g.take(ctx, "log-normal", dst, func(c *call) error {
		if !finite(mean) || !finite(deviation) || deviation < 0 {
			return fmt.Errorf("mean %v, deviation %v: want finite numbers, the deviation not negative: %w", mean, deviation, cuda.ErrInvalidValue)
		}
		return real(c, "log_normal", normal, dst, s, mean, deviation)
	})
}

// Exponential queues filling dst with numbers of the exponential distribution: -ln(u)·mean for uniform u in (0, 1]. mean is not
// negative.
func Exponential[T Real](ctx context.Context, g *Generator, mean T, dst *cuda.Buffer[T], s *cuda.Stream) error {
	return g.take(ctx, "exponential", dst, func(c *call) error {
		if !finite(mean) || mean < 0 {
			return fmt.Errorf("mean %v: want a finite number, not negative: %w", mean, cuda.ErrInvalidValue)
		}
		return real(c, "exponential", exponential, dst, s, mean)
	})
}

// Integers queues filling dst with integers from low up to high, not included, all with the same probability exactly: words that would
// favour some are drawn again. low is less than high. Philox only.
func Integers[T Integer](ctx context.Context, g *Generator, low, high T, dst *cuda.Buffer[T], s *cuda.Stream) error {
	return g.take(ctx, "integers", dst, func(c *call) error {
		if low >= high {
			return fmt.Errorf("from %d up to %d, not included: there is none: %w", low, high, cuda.ErrInvalidValue)
		}
		return integers(c, low, high, dst, s)
	})
}

// Poisson queues filling dst with numbers of the Poisson distribution: by adding probabilities for a rate below 12, by transformed
// rejection beyond (Hörmann, The Transformed Rejection Method for Generating Poisson Random Variables, 1993). rate is at most
// 2^30 for int32 and 2^50 for int64. Philox only.
func Poisson[T int32 | int64](ctx context.Context, g *Generator, rate float64, dst *cuda.Buffer[T], s *cuda.Stream) error {
	return g.take(ctx, "poisson", dst, func(c *call) error {
		most := 0x1p50
		if bytes[T]() == 4 {
			most = 0x1p30
		}
		if !(rate >= 0 && rate <= most) {
			return fmt.Errorf("rate %v: want 0 to %v: %w", rate, most, cuda.ErrInvalidValue)
		}
		return poisson(c, rate, dst, s)
	})
}

// finite tells that a number is neither infinite nor NaN.
func finite[T Real](x T) bool { return !math.IsInf(float64(x), 0) && !math.IsNaN(float64(x)) }
