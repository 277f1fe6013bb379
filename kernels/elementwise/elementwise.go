// Package elementwise makes kernels from an expression in C that is evaluated for every index: PyCUDA's ElementwiseKernel.
//
//	k, err := elementwise.New(ctx, dev, "float a, const float *x, float b, const float *y, float *z", "z[i] = a*x[i] + b*y[i]", elementwise.Config{})
//	err = k.Launch(elementwise.Range{}, float32(2), x, float32(3), y, z)
//
// The kernel is compiled by NVRTC, whose cache on disk makes the second time fast; Config.Embedded takes PTX for where NVRTC is
// not installed. Arguments are checked against their declarations before each launch.
package elementwise

import (
	"context"
	"fmt"
	"strings"

	"github.com/tandem-go/tandem/cuda"
)

// Config says how a kernel is compiled. The zero value is right for most.
type Config struct {
	_ struct{}
	// Name is the kernel's name in messages; empty means "elementwise".
	Name string
	// Preamble is C++ in front of the kernel: functions, constants, includes.
	Preamble string
	// Options are NVRTC's, as cuda.CompileConfig's.
	Options []string
	// Embedded is PTX that cuda.CompilePTX made of Source with the same options, for where NVRTC is not found.
	Embedded []byte
}

// Range is the indices that a launch goes over; the zero value is all of the arrays.
type Range struct {
	_ struct{}
	// First, End and Step: the indices First, First+Step, ... below End. A Step of 0 means 1, an End of 0 the length of the arrays.
	First, End, Step int
	// Stream is where the kernel is queued; nil is the default stream.
	Stream *cuda.Stream
}

// Kernel is a compiled expression. It may be used from any goroutine.
type Kernel struct {
	name   string
	params []string // names; those of pointers begin with *
	f      *cuda.Function
	mod    *cuda.Module
}

// Source is the CUDA C++ of a kernel.
func Source(name, arguments, operation, preamble string) string {
	return fmt.Sprintf(`%s
extern "C" __global__ void %s(%s, const long long first_, const long long step_, const long long n) {
    const long long k_ = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (k_ >= n) return;
    const long long i = first_ + k_ * step_;
    (void)i;
    { %s; }
}
`, preamble, name, arguments, operation)
}

// New compiles a kernel. arguments is a list of C parameters, at least one of which is a pointer to an array; operation is one
// or more statements, separated by semicolons, in which i is the index and n the number of indices. Errors are those of
// cuda.Device.Compile.
func New(ctx context.Context, dev *cuda.Device, arguments, operation string, cfg Config) (*Kernel, error) {
	if cfg.Name == "" {
		cfg.Name = "elementwise"
	}
	params, err := parse(cfg.Name, arguments)
	if err != nil {
		return nil, err
	}
	mod, err := dev.Compile(ctx, Source(cfg.Name, arguments, operation, cfg.Preamble),
		cuda.CompileConfig{Name: cfg.Name + ".cu", Options: cfg.Options, Embedded: cfg.Embedded})
	if err != nil {
		return nil, err
	}
	f, err := mod.Function(cfg.Name)
	if err != nil {
		return nil, err
	}
	return &Kernel{cfg.Name, params, f, mod}, nil
}

// parse finds the names in a list of parameters.
func parse(kernel, arguments string) ([]string, error) {
	var out []string
	arrays := 0
	for field := range strings.SplitSeq(arguments, ",") {
		words := strings.FieldsFunc(field, func(r rune) bool { return r == ' ' || r == '*' || r == '\t' || r == '\n' || r == '&' })
		if len(words) < 2 {
			return nil, fmt.Errorf("%s: parameter %q has no type and name: %w", kernel, strings.TrimSpace(field), cuda.ErrInvalidValue)
		}
		name := words[len(words)-1]
		if strings.Contains(field, "*") {
			name = "*" + name
			arrays++
		}
		out = append(out, name)
	}
	if arrays == 0 {
		return nil, fmt.Errorf("%s: there is no array among the parameters (%s): %w", kernel, arguments, cuda.ErrInvalidValue)
	}
	return out, nil
}

// Close gives the kernel up. What is queued goes on.
func (k *Kernel) Close() error { return k.mod.Close() }

// Function is the kernel underneath, which has three parameters more: the first index, the step and the number of indices.
func (k *Kernel) Function() *cuda.Function { return k.f }

// Launch queues the kernel over the range. args are those of the declaration, Go scalars and cuda.Buffers; the arrays must have
// one length, and the range must lie in it, else the error wraps cuda.ErrLength. Other errors are those of
// cuda.Function.Launch. Nothing is written if there is an error.
func (k *Kernel) Launch(r Range, args ...any) error {
	length, err := k.length(args)
	if err != nil {
		return err
	}
	step, end := max(r.Step, 1), r.End
	if end == 0 {
		end = length
	}
	if r.First < 0 || r.Step < 0 || end < 0 || end > length || r.First > end {
		return fmt.Errorf("launch %s: the range from %d to %d by %d is not in arrays of %d elements: %w", k.name, r.First, end, r.Step, length, cuda.ErrLength)
	}
	n := (end - r.First + step - 1) / step
	if n == 0 {
		return nil
	}
	const threads = 256
	return k.f.Launch(cuda.LaunchConfig{Grid: cuda.Blocks(n, threads), Block: cuda.D1(threads), Stream: r.Stream},
		append(append([]any(nil), args...), int64(r.First), int64(step), int64(n))...)
}

// length is that of all arrays.
func (k *Kernel) length(args []any) (int, error) {
	if len(args) != len(k.params) {
		return 0, fmt.Errorf("launch %s: want %d arguments (%s), have %d: %w", k.name, len(k.params), strings.Join(k.params, ", "), len(args), cuda.ErrArgument)
	}
	length, first := -1, ""
	for i, a := range args {
		array, ok := a.(interface{ Len() int })
		if !ok || k.params[i][0] != '*' {
			continue
		}
		if n := array.Len(); length < 0 {
			length, first = n, k.params[i]
		} else if n != length {
			return 0, fmt.Errorf("launch %s: %s has %d elements, %s %d: %w", k.name, first[1:], length, k.params[i][1:], n, cuda.ErrLength)
		}
	}
	if length < 0 {
		return 0, fmt.Errorf("launch %s: there is no cuda.Buffer among the arguments, whose length is that of the launch: %w", k.name, cuda.ErrArgument)
	}
	return length, nil
}
