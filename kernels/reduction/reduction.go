// Package reduction makes kernels that map every index to a value and combine the values: PyCUDA's ReductionKernel, with the
// same bits on every device and for every grid.
//
//	k, err := reduction.New[float32](ctx, dev, reduction.Config{Arguments: "const float *x, const float *y", Map: "x[i]*y[i]", Reduce: "a + b", Neutral: "0"})
//	dot, err := k.Run(ctx, reduction.Range{}, x, y)
//
// Values are combined in chains of every 256th element of parts of 16,384, these in trees, and the parts in the same way: the
// order depends on the number of elements alone. Reduce must be associative up to rounding; elements keep their order except
// that neighbours in memory belong to different chains, so it must be commutative too. Sums, products and extremes of arrays,
// whole and along axes, are in package array.
package reduction

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/kernels/internal/expr"
)

// Config is a reduction. Map, Reduce, Neutral and Arguments are required.
type Config struct {
	_ struct{}
	// Arguments are C parameters, such as "const float *x, float eps".
	Arguments string
	// Map is the value of index i, an expression in C.
	Map string
	// Reduce combines the values a and b, Neutral is what changes nothing: "a + b" and "0".
	Reduce, Neutral string
	// Name is the kernel's name in messages; empty means "reduction". Preamble is C++ in front of it.
	Name, Preamble string
	// Options are NVRTC's, as cuda.CompileConfig's; "--fmad=false" comes before them.
	Options []string
}

// Range is the indices of a reduction; the zero value is all of the arrays.
type Range struct {
	_ struct{}
	// First and End: the indices from First up to End, End not included. An End of 0 is the length of the arrays.
	First, End int
	// Stream is where the kernels are queued; nil is the default stream.
	Stream *cuda.Stream
}

// Number is what values may be.
type Number interface {
	int32 | uint32 | int64 | uint64 | float32 | float64
}

// Kernel is a compiled reduction to values of T. It may be used from any goroutine.
type Kernel[T Number] struct {
	dev         *cuda.Device
	name        string
	params      []string
	mod         *cuda.Module
	first, last *cuda.Function
}

var ctypes = map[reflect.Kind]string{
	reflect.Int32: "int", reflect.Uint32: "unsigned int", reflect.Int64: "long long", reflect.Uint64: "unsigned long long",
	reflect.Float32: "float", reflect.Float64: "double",
}

// source is the CUDA C++ of a reduction to values of a C type.
func source(cfg *Config, value string) string {
	return fmt.Sprintf(`%s
namespace tandem {
%s
}
struct Op_ {
    typedef %s A;
    typedef tandem::Plain<A> Out;
    static __device__ __forceinline__ A none() { return %s; }
    static __device__ __forceinline__ A join(A a, A b) { return %s; }
    static __device__ __forceinline__ A done(A a) { return a; }
};
extern "C" __global__ void %s(const tandem::Reduction r_, void *out_, void *parts_, const long long first_, %s) {
    tandem::reduceBlock<Op_>(r_, out_, parts_, [=](unsigned long long k_, unsigned long long) {
        const long long i = first_ + (long long)k_;
        (void)i;
        return Op_::A(%s); });
}
extern "C" __global__ void %s_parts(const tandem::Reduction r_, void *out_, void *parts_, const Op_::A *from_) {
    tandem::reduceBlock<Op_>(r_, out_, parts_, [=](unsigned long long k_, unsigned long long) { return from_[k_]; });
}
`, cfg.Preamble, expr.ReductionPrelude(), value, cfg.Neutral, cfg.Reduce, cfg.Name, cfg.Arguments, cfg.Map, cfg.Name)
}

// New compiles a reduction. Errors are those of cuda.Device.Compile.
func New[T Number](ctx context.Context, dev *cuda.Device, cfg Config) (*Kernel[T], error) {
	if cfg.Name == "" {
		cfg.Name = "reduction"
	}
	for _, f := range [][2]string{{"Arguments", cfg.Arguments}, {"Map", cfg.Map}, {"Reduce", cfg.Reduce}, {"Neutral", cfg.Neutral}} {
		if strings.TrimSpace(f[1]) == "" {
			return nil, fmt.Errorf("make %s: %s is empty: %w", cfg.Name, f[0], cuda.ErrInvalidValue)
		}
	}
	k := &Kernel[T]{dev: dev, name: cfg.Name}
	for field := range strings.SplitSeq(cfg.Arguments, ",") {
		words := strings.Fields(strings.ReplaceAll(field, "*", " "))
		if len(words) < 2 {
			return nil, fmt.Errorf("make %s: parameter %q has no type and name: %w", cfg.Name, strings.TrimSpace(field), cuda.ErrInvalidValue)
		}
		k.params = append(k.params, words[len(words)-1])
	}
	mod, err := dev.Compile(ctx, source(&cfg, ctypes[reflect.TypeFor[T]().Kind()]),
		cuda.CompileConfig{Name: cfg.Name + ".cu", Options: append([]string{"--fmad=false"}, cfg.Options...)})
	if err != nil {
		return nil, err
	}
	k.mod = mod
	if k.first, err = mod.Function(cfg.Name); err == nil {
		k.last, err = mod.Function(cfg.Name + "_parts")
	}
	if err != nil {
		return nil, errors.Join(err, mod.Close())
	}
	return k, nil
}

// Close gives the reduction up. What is queued goes on.
func (k *Kernel[T]) Close() error { return k.mod.Close() }

// Run reduces and returns the value; Neutral of no indices. args are those of the declaration, Go scalars and cuda.Buffers; the
// arrays must have one length, and the range must lie in it, else the error wraps cuda.ErrLength.
func (k *Kernel[T]) Run(ctx context.Context, r Range, args ...any) (T, error) {
	var zero T
	out, err := cuda.Alloc[T](k.dev, 1)
	if err != nil {
		return zero, fmt.Errorf("launch %s: %w", k.name, err)
	}
	defer out.Close()
	if err := k.Launch(out, r, args...); err != nil {
		return zero, err
	}
	v, err := out.Download(ctx)
	if err != nil {
		return zero, err
	}
	return v[0], nil
}

// shape is Reduction of the prelude.
type shape struct{ Outer, N, Inner, Part, Parts uint64 }

// part is how many elements a block combines.
const part = 16384

// Launch queues the reduction, whose value is written to the one element of out.
func (k *Kernel[T]) Launch(out *cuda.Buffer[T], r Range, args ...any) error {
	if out.Len() != 1 {
		return fmt.Errorf("launch %s: the result has %d elements, not 1: %w", k.name, out.Len(), cuda.ErrLength)
	}
	n, err := k.count(r, args)
	if err != nil {
		return err
	}
	f, more := k.first, append([]any{int64(r.First)}, args...)
	for {
		s := shape{Outer: 1, N: uint64(n), Inner: 1, Part: part, Parts: uint64(max(1, (n+part-1)/part))}
		var parts *cuda.Buffer[T]
		if s.Parts > 1 {
			if parts, err = cuda.Alloc[T](k.dev, int(s.Parts)); err != nil {
				return fmt.Errorf("launch %s: %w", k.name, err)
			}
			defer parts.Close() // once what is queued is done
		}
		cfg := cuda.LaunchConfig{Grid: cuda.D1(int(s.Parts)), Block: cuda.D1(256), Stream: r.Stream}
		if err := f.Launch(cfg, append([]any{s, out, parts}, more...)...); err != nil {
			return err
		}
		if s.Parts == 1 {
			return nil
		}
		f, more, n = k.last, []any{parts}, int(s.Parts)
	}
}

// count is the number of indices.
func (k *Kernel[T]) count(r Range, args []any) (int, error) {
	if len(args) != len(k.params) {
		return 0, fmt.Errorf("launch %s: want %d arguments (%s), have %d: %w", k.name, len(k.params), strings.Join(k.params, ", "), len(args), cuda.ErrArgument)
	}
	length, first := -1, ""
	for i, a := range args {
		array, ok := a.(interface{ Len() int })
		if !ok {
			continue
		}
		if n := array.Len(); length < 0 {
			length, first = n, k.params[i]
		} else if n != length {
			return 0, fmt.Errorf("launch %s: %s has %d elements, %s %d: %w", k.name, first, length, k.params[i], n, cuda.ErrLength)
		}
	}
	end := r.End
	if length < 0 && end == 0 {
		return 0, fmt.Errorf("launch %s: there is no cuda.Buffer among the arguments, and no end of the range: %w", k.name, cuda.ErrArgument)
	}
	if end == 0 {
		end = length
	}
	if r.First < 0 || r.First > end || length >= 0 && end > length {
		return 0, fmt.Errorf("launch %s: the range from %d to %d is not in arrays of %d elements: %w", k.name, r.First, end, length, cuda.ErrLength)
	}
	return end - r.First, nil
}
