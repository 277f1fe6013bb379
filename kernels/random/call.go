package random

import (
	"context"
	"fmt"
	"math"
	"math/bits"
	"reflect"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/kernels/internal/library"
)

// domain keeps the numbers of distributions apart: the top byte of Philox's counter.
type domain uint32

// Continuous distributions have two, for float32 and, the next, for float64.
const (
	domainWords4   domain = 0
	domainWords8   domain = 1
	uniform        domain = 2
	normal         domain = 4
	exponential    domain = 6
	domainIntegers domain = 8
	domainPoisson  domain = 9
	domainKeys     domain = 10
)

const (
	threads    = 128
	warpGroups = 8        // groups of a warp; EACH in random.cu
	groupWords = 128      // words of a group
	steps      = 32 << 10 // numbers of a segment of XORWOW; 32 * STEPS in random.cu
	maxIndex   = 1 << 47
	smallRate  = 12
)

// call is numbers [first, first+n) of a generator.
type call struct {
	ctx   context.Context
	g     *Generator
	first uint64
	n     int
}

// take makes a call with the numbers that come next; an error leaves the generator where it is.
func (g *Generator) take(ctx context.Context, what string, dst buffer, f func(c *call) error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	err := g.check(dst)
	if err == nil {
		err = f(&call{ctx, g, g.index, dst.Len()})
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	g.index += uint64(dst.Len())
	return nil
}

// buffer is a cuda.Buffer of any type.
type buffer interface {
	Len() int
	Device() *cuda.Device
}

func (g *Generator) check(dst buffer) error {
	switch {
	case g.cfg.Method != Philox && g.cfg.Method != XORWOW:
		return fmt.Errorf("%v: want Philox or XORWOW: %w", g.cfg.Method, cuda.ErrInvalidValue)
	case dst.Device() != g.l.lib.Device():
		return fmt.Errorf("dst is on %v, the generator on %v: %w", dst.Device(), g.l.lib.Device(), cuda.ErrWrongDevice)
	case g.index > maxIndex || uint64(dst.Len()) > maxIndex-g.index:
		return fmt.Errorf("%d numbers from index %d on: a stream has %d: %w", dst.Len(), g.index, uint64(maxIndex), cuda.ErrInvalidValue)
	}
	return nil
}

// philox returns an error for distributions that need substreams of elements.
func (c *call) philox() error {
	if c.g.cfg.Method == Philox {
		return nil
	}
	return fmt.Errorf("%v gives each element a fixed number of words; use Philox: %w", c.g.cfg.Method, cuda.ErrNotSupported)
}

// bytes is the size of a type.
func bytes[T cuda.Element]() int { return int(reflect.TypeFor[T]().Size()) }

// grid is the blocks for groups of a number of elements.
func (c *call) grid(size int) int {
	first := c.first / uint64(size)
	last := (c.first + uint64(c.n) + uint64(size) - 1) / uint64(size)
	warps := (last - first + warpGroups - 1) / warpGroups
	return int((warps + threads/32 - 1) / (threads / 32))
}

// args are what all kernels begin with.
func (c *call) args(dst any, d domain) []any {
	return []any{dst, uint64(c.n), c.first, c.g.cfg.Seed, c.g.cfg.Stream, uint32(d)}
}

func (c *call) launch(variant, kernel string, blocks int, s *cuda.Stream, args []any, more ...any) error {
	if c.n == 0 {
		return nil
	}
	return c.g.l.lib.Launch(c.ctx, variant, kernel, blocks, threads, s, append(args, more...)...)
}

func words4(c *call, dst *cuda.Buffer[uint32], s *cuda.Stream) error {
	if c.g.cfg.Method == XORWOW {
		return c.xorwow(dst, c.first, c.n, s)
	}
	return c.launch("integers", "words4", c.grid(groupWords), s, c.args(dst, domainWords4))
}

func words8(c *call, dst *cuda.Buffer[uint64], s *cuda.Stream) error {
	if c.g.cfg.Method == XORWOW {
		narrow, err := cuda.Reinterpret[uint32](dst)
		if err != nil {
			return err
		}
		return c.xorwow(narrow, 2*c.first, 2*c.n, s)
	}
	return c.keys(dst, domainWords8, s)
}

// keys fills a buffer with words of 64 bits of a domain.
func (c *call) keys(dst *cuda.Buffer[uint64], d domain, s *cuda.Stream) error {
	return c.launch("integers", "words8", c.grid(groupWords/2), s, c.args(dst, d))
}

// real fills a buffer with numbers of a continuous distribution.
func real[T Real](c *call, kernel string, d domain, dst *cuda.Buffer[T], s *cuda.Stream, parameters ...any) error {
	size, variant := groupWords, "f32"
	if bytes[T]() == 8 {
		size, variant = groupWords/2, "f64"
		d++
	}
	var words any
	if c.g.cfg.Method == XORWOW && c.n > 0 {
		first := c.first / uint64(size)
		last := (c.first + uint64(c.n) + uint64(size) - 1) / uint64(size)
		n := int(last-first) * groupWords
		b, err := library.Temp[uint32](c.g.l.lib, n)
		if err != nil {
			return err
		}
		defer b.Close()
		if err := c.xorwow(b, first*groupWords, n, s); err != nil {
			return err
		}
		words = b
	}
	return c.launch(variant, kernel, c.grid(size), s, append(c.args(dst, d), words), parameters...)
}

func integers[T Integer](c *call, low, high T, dst *cuda.Buffer[T], s *cuda.Stream) error {
	if err := c.philox(); err != nil {
		return err
	}
	if bytes[T]() == 4 {
		return c.launch("integers", "below4", c.grid(groupWords), s, c.args(dst, domainIntegers), uint32(high)-uint32(low), uint32(low))
	}
	return c.launch("integers", "below8", c.grid(groupWords/2), s, c.args(dst, domainIntegers), uint64(high)-uint64(low), uint64(low))
}

func poisson[T int32 | int64](c *call, rate float64, dst *cuda.Buffer[T], s *cuda.Stream) error {
	if err := c.philox(); err != nil {
		return err
	}
	suffix := "4"
	if bytes[T]() == 8 {
		suffix = "8"
	}
	if rate < smallRate {
		return c.launch("f64", "poisson_small"+suffix, c.grid(groupWords/2), s, c.args(dst, domainPoisson), rate, expNegative(rate))
	}
	// The conversions keep compilers from contracting, so that the constants are the same everywhere.
	b := 0.931 + float64(2.53*math.Sqrt(rate))
	a := -0.059 + float64(0.02483*b)
	inverse := 1.1239 + 1.1328/(b-3.4)
	accept := 0.9277 - 3.6224/(b-2)
	return c.launch("f64", "poisson_large"+suffix, (c.n+threads-1)/threads, s, c.args(dst, domainPoisson), rate, a, b, inverse, accept)
}

// expNegative is exp(-x) for 0 <= x < 12, with the same bits on every machine: the series at x/4096, squared twelve times. Its
// relative error is below 2^-39.
func expNegative(x float64) float64 {
	y := -x / 4096
	p := 1.0
	for k := 8; k >= 1; k-- {
		p = 1 + float64(float64(y*p)/float64(k))
	}
	for range 12 {
		p = float64(p * p)
	}
	return p
}

// state is XORWOW's: five words of the shift register and the counter.
func (g *Generator) state() (x [6]uint32) {
	seed := g.cfg.Seed + bits.RotateLeft64(uint64(g.cfg.Stream)*0x9e3779b97f4a7c15, 32)
	for i := 0; i < 6; i += 2 {
		v := splitMix(&seed)
		x[i], x[i+1] = uint32(v), uint32(v>>32)
	}
	x[0] |= 1 // not all zero
	return x
}

func splitMix(s *uint64) uint64 {
	*s += 0x9e3779b97f4a7c15
	z := *s
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// xorwow fills a buffer with n words from number first on.
func (c *call) xorwow(dst *cuda.Buffer[uint32], first uint64, n int, s *cuda.Stream) error {
	if n == 0 {
		return nil
	}
	jumps, err := c.g.l.jumpTable(c.ctx)
	if err != nil {
		return err
	}
	x := c.g.state()
	segments := (first+uint64(n)+steps-1)/steps - first/steps
	blocks := int((segments + threads/32 - 1) / (threads / 32))
	return c.g.l.lib.Launch(c.ctx, "integers", "xorwow", blocks, threads, s, dst, uint64(n), first, jumps, x[0], x[1], x[2], x[3], x[4], x[5])
}

// jumpTable is XORWOW's maps in device memory.
func (l *Library) jumpTable(ctx context.Context) (*cuda.Buffer[uint32], error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.jumps != nil {
		return l.jumps, nil
	}
	table, err := cuda.Upload(ctx, l.lib.Device(), jumps())
	if err != nil {
		return nil, err
	}
	l.jumps = table
	return table, nil
}
