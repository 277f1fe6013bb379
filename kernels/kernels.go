// Package kernels has ready-made kernels for arrays in device memory.
//
// The kernels are CUDA C++ of this project, embedded as PTX, so they run on GPU and host device alike and need no NVRTC.
// They are compiled without contraction and add in a fixed order: every device gives the same bits.
package kernels

import (
	"context"
	_ "embed"
	"fmt"
	"reflect"

	"github.com/tandem-go/tandem/cuda"
)

//go:generate go test -run TestEmbedded -args -rewrite
//go:embed kernels.ptx
var ptx []byte

// Number is what the kernels compute with.
type Number interface {
	float32 | float64 | int32 | uint32 | int64 | uint64
}

// suffixes name the kernels of a type.
var suffixes = map[reflect.Kind]string{
	reflect.Float32: "f32", reflect.Float64: "f64", reflect.Int32: "i32", reflect.Uint32: "u32", reflect.Int64: "i64", reflect.Uint64: "u64",
}

// Library is the kernels, loaded on one device. It may be used from any goroutine.
type Library struct {
	dev       *cuda.Device
	mod       *cuda.Module
	functions map[string]*cuda.Function
}

// Load loads the kernels on a device. The caller may close the Library, and need not.
func Load(ctx context.Context, dev *cuda.Device) (*Library, error) {
	mod, err := dev.Load(ctx, ptx, cuda.LoadConfig{Name: "kernels.ptx"})
	if err != nil {
		return nil, fmt.Errorf("kernels: %w", err)
	}
	l := &Library{dev: dev, mod: mod, functions: map[string]*cuda.Function{}}
	for _, name := range mod.Kernels() {
		if l.functions[name], err = mod.Function(name); err != nil {
			mod.Close()
			return nil, fmt.Errorf("kernels: %w", err)
		}
	}
	return l, nil
}

// Device returns the device that the library was loaded on.
func (l *Library) Device() *cuda.Device { return l.dev }

// Close unloads the kernels. Work that is queued goes on; a second Close does nothing.
func (l *Library) Close() error { return l.mod.Close() }

// function is the kernel of an operation for T.
func function[T Number](l *Library, op string) *cuda.Function {
	return l.functions[op+"_"+suffixes[reflect.TypeFor[T]().Kind()]]
}

// The shape of a launch: enough threads to fill any device, and a fixed number, because the order of a sum depends on it.
const (
	threads   = 256
	sumBlocks = 256
	maxBlocks = 1 << 16
)

// Axpby queues z[i] = a*x[i] + b*y[i] for all i on the stream; nil is the default stream. z may be x or y. The buffers have one length,
// else the error wraps cuda.ErrLength. Floating point rounds each product and the sum (IEEE 754, to nearest even); integers
// wrap. Source: BLAS extension axpby.
func Axpby[T Number](l *Library, a T, x *cuda.Buffer[T], b T, y, z *cuda.Buffer[T], s *cuda.Stream) error {
	n := z.Len()
	if x.Len() != n || y.Len() != n {
		return fmt.Errorf("axpby: x has %d elements, y %d, z %d: %w", x.Len(), y.Len(), n, cuda.ErrLength)
	}
	if n == 0 {
		return nil
	}
	blocks := min((n+threads-1)/threads, maxBlocks)
	return function[T](l, "axpby").Launch(cuda.LaunchConfig{Grid: cuda.D1(blocks), Block: cuda.D1(threads), Stream: s}, a, x, b, y, z, uint64(n))
}

// Sum returns the sum of all elements; 0 for none. It waits for the work on the buffer. Integers wrap. Floating point is
// added by 65,536 threads with a stride and then in trees, always in the same order: the error is at most
// (n/65536 + 16) u · Σ|x[i]| to first order, where u is 2^-24 or 2^-53 (Higham, Accuracy and Stability of Numerical
// Algorithms, section 4.2).
func Sum[T Number](ctx context.Context, l *Library, x *cuda.Buffer[T]) (T, error) {
	var zero T
	n := x.Len()
	if n == 0 {
		return zero, nil
	}
	f := function[T](l, "sum")
	parts, err := cuda.Alloc[T](l.dev, sumBlocks)
	if err != nil {
		return zero, fmt.Errorf("sum: %w", err)
	}
	defer parts.Close()
	total, err := parts.Slice(0, 1)
	if err != nil {
		return zero, fmt.Errorf("sum: %w", err)
	}
	cfg := cuda.LaunchConfig{Grid: cuda.D1(sumBlocks), Block: cuda.D1(threads)}
	if err := f.Launch(cfg, parts, x, uint64(n)); err != nil {
		return zero, err
	}
	// One block reads its 256 parts before it writes the first.
	cfg.Grid = cuda.D1(1)
	if err := f.Launch(cfg, total, parts, uint64(sumBlocks)); err != nil {
		return zero, err
	}
	out, err := total.Download(ctx)
	if err != nil {
		return zero, err
	}
	return out[0], nil
}
