package hetero

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"

	"github.com/tandem-go/tandem/cuda"
)

// Kernel is what to run: CUDA source, a body in Go, or both, which must compute the same. It is immutable, and may be used
// by any number of runs at the same time.
type Kernel struct {
	name string
	code *code
	body func(ctx context.Context, c Chunk) error
	hash [32]byte
}

// Chunk is items for a body in Go.
type Chunk struct {
	// Lo up to Hi are the items, Worker is which of the device's goroutines does them, from 0.
	Lo, Hi, Worker int

	args  []Arg
	local map[any]local // by accumulator
}

// code is the CUDA form of a kernel.
type code struct {
	entry   string
	source  string
	compile cuda.CompileConfig
	ptx     []byte // instead of source
	load    cuda.LoadConfig
}

// Impl is one form of a kernel, made by CUDA, PTX, Go, GoRange or GoChunk.
type Impl struct {
	code *code
	body func(ctx context.Context, c Chunk) error
	name any // the function that the program gave
}

// CUDA is a kernel in CUDA C++: entry is what Module.Function takes. It runs on GPUs, and where there is no Go body also
// on the CPU.
func CUDA(source, entry string, c cuda.CompileConfig) Impl {
	return Impl{code: &code{entry: entry, source: source, compile: c}}
}

// PTX is CUDA for code that was compiled before.
func PTX(image []byte, entry string, c cuda.LoadConfig) Impl {
	return Impl{code: &code{entry: entry, ptx: slices.Clone(image), load: c}}
}

// Go is a body in Go for the CPU: it does the items from lo up to hi, and is called from several goroutines at once for
// ranges that do not overlap. It writes the slices that the run's arguments name, no others, and only the rows of its
// items. When ctx ends it should return; what it did so far does not count then. A panic is an error.
func Go(body func(ctx context.Context, lo, hi int) error) Impl {
	return Impl{name: body, body: func(ctx context.Context, c Chunk) error { return body(ctx, c.Lo, c.Hi) }}
}

// GoRange is Go for bodies that cannot fail and are over soon.
func GoRange(body func(lo, hi int)) Impl {
	return Impl{name: body, body: func(_ context.Context, c Chunk) error {
		body(c.Lo, c.Hi)
		return nil
	}}
}

// GoChunk is Go for bodies that need more than their items: the array of an Accumulator, or Elements of the run.
func GoChunk(body func(ctx context.Context, c Chunk) error) Impl { return Impl{name: body, body: body} }

// NewKernel makes a kernel of one or two forms. The name is for reports.
func NewKernel(name string, forms ...Impl) (*Kernel, error) {
	k := &Kernel{name: name}
	h := sha256.New()
	for _, f := range forms {
		switch {
		case f.code != nil && k.code == nil:
			k.code = f.code
			f.code.sum(h)
		case f.body != nil && k.body == nil:
			k.body = f.body
			sumBody(h, f.name)
		default:
			return nil, fmt.Errorf("kernel %s: %w: want one CUDA form, one Go body, or both", name, ErrDeclaration)
		}
	}
	if len(forms) == 0 {
		return nil, fmt.Errorf("kernel %s: %w: it has no form", name, ErrDeclaration)
	}
	h.Sum(k.hash[:0])
	return k, nil
}

// Name returns the kernel's name.
func (k *Kernel) Name() string { return k.name }

// Hash identifies the kernel's code: what was learned of its speed is kept under it. Of a Go body it is the function's
// name and the build of the program, since code has no name of its own there.
func (k *Kernel) Hash() [32]byte { return k.hash }

// sum adds the code to a hash. Each text is preceded by its length, so that no two kernels look the same.
func (c *code) sum(h hash.Hash) {
	texts := []string{"cuda", c.entry, c.source, string(c.ptx)}
	texts = append(texts, c.compile.Options...)
	texts = append(texts, c.compile.NameExpressions...)
	names := make([]string, 0, len(c.compile.Headers))
	for name := range c.compile.Headers {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		texts = append(texts, name, c.compile.Headers[name])
	}
	sumTexts(h, texts...)
}

func sumBody(h hash.Hash, body any) {
	name := ""
	if f := runtime.FuncForPC(reflect.ValueOf(body).Pointer()); f != nil {
		name = f.Name()
	}
	build := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		build = info.String()
	}
	sumTexts(h, "go", name, build)
}

func sumTexts(h hash.Hash, texts ...string) {
	for _, t := range texts {
		var n [8]byte
		binary.LittleEndian.PutUint64(n[:], uint64(len(t)))
		h.Write(n[:])
		h.Write([]byte(t))
	}
}
