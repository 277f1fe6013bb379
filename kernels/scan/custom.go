package scan

import (
	"context"
	_ "embed"
	"fmt"
	"math"
	"reflect"
	"strings"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/kernels/internal/library"
)

//go:embed scan.cu
var source string

// custom is the variant of a Kernel.
const custom = "custom"

// Kernel is the scans with an operation of the caller's. It may be used from any goroutine.
type Kernel[T Number] struct {
	lib     *library.Library
	name    string
	neutral T
}

// NewKernel compiles the scans with an associative operation: a CUDA C++ expression of a, which comes earlier, and b, such as
// "a > b ? a : b". neutral is the value n with n ∘ x = x for every x. It needs NVRTC; errors are those of cuda.Device.Compile.
func NewKernel[T Number](ctx context.Context, dev *cuda.Device, expression string, neutral T) (*Kernel[T], error) {
	if strings.ContainsAny(expression, "\r\n\\") || strings.TrimSpace(expression) == "" {
		return nil, fmt.Errorf("scan kernel %q: want an expression in one line: %w", expression, cuda.ErrInvalidValue)
	}
	typeName, value := literal(neutral)
	text := fmt.Sprintf("#define TYPE %s\n#define EXPRESSION (%s)\n#define NEUTRAL %s\n%s", typeName, expression, value, source)
	mod, err := dev.Compile(ctx, text, cuda.CompileConfig{Name: "scan.cu", Options: []string{"--fmad=false", "--std=c++17"}})
	if err != nil {
		return nil, fmt.Errorf("scan kernel %q: %w", expression, err)
	}
	k := &Kernel[T]{library.New(dev, "scan.zip", archive), expression, neutral}
	k.lib.Adopt(custom, mod)
	return k, nil
}

// literal is the type and a value in CUDA C++, bit for bit.
func literal[T Number](x T) (typeName, value string) {
	suffix := library.Suffix[T]()
	for _, t := range library.CTypes {
		if t.Suffix == suffix {
			typeName = t.C
		}
	}
	switch v := reflect.ValueOf(x); v.Kind() {
	case reflect.Float32:
		return typeName, fmt.Sprintf("__int_as_float(%#x)", math.Float32bits(float32(v.Float())))
	case reflect.Float64:
		return typeName, fmt.Sprintf("__longlong_as_double(%#xll)", math.Float64bits(v.Float()))
	case reflect.Int32, reflect.Int64:
		return typeName, fmt.Sprintf("T(%#xull)", uint64(v.Int()))
	default:
		return typeName, fmt.Sprintf("T(%#xull)", v.Uint())
	}
}

// Close unloads the kernel. Work that is queued goes on; a second Close does nothing.
func (k *Kernel[T]) Close() error { return k.lib.Close() }

// call makes a call of the operation.
func (k *Kernel[T]) call(ctx context.Context, what string, rows int, dst, src *cuda.Buffer[T], s *cuda.Stream) (*call[T], error) {
	c := &call[T]{ctx, k.lib, fmt.Sprintf("%s (%s)", what, k.name), custom, k.neutral, rows, src.Len(), s}
	return c, c.check(dst, src)
}

// Inclusive is InclusiveRows with the operation of the kernel.
func (k *Kernel[T]) Inclusive(ctx context.Context, rows int, dst, src *cuda.Buffer[T], s *cuda.Stream) error {
	c, err := k.call(ctx, "inclusive scan", rows, dst, src, s)
	if err != nil || c.n == 0 {
		return err
	}
	return c.fail(scanRows(c, "inclusive", c.neutral, dst, src))
}

// Exclusive is ExclusiveRows with the operation of the kernel.
func (k *Kernel[T]) Exclusive(ctx context.Context, first T, rows int, dst, src *cuda.Buffer[T], s *cuda.Stream) error {
	c, err := k.call(ctx, "exclusive scan", rows, dst, src, s)
	if err != nil || c.n == 0 {
		return err
	}
	return c.fail(scanRows(c, "exclusive", first, dst, src))
}
