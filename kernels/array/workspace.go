package array

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"sync"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/kernels/internal/expr"
	"github.com/tandem-go/tandem/kernels/linalg"
	"github.com/tandem-go/tandem/kernels/scan"
	"github.com/tandem-go/tandem/kernels/sort"
)

// Fusion says when several operations become one kernel, which needs NVRTC. Results have the same bits either way.
type Fusion int

// When expressions are fused.
const (
	// FuseAuto fuses large arrays, and structures that come up often. Without NVRTC nothing is fused.
	FuseAuto Fusion = iota
	// FuseAlways fuses all expressions of more than one operation; without NVRTC that is an error.
	FuseAlways
	// FuseNever runs one embedded kernel after the other, with temporary arrays.
	FuseNever
)

// Config says how a Workspace computes. The zero value is right for most programs.
type Config struct {
	_ struct{}
	// Stream is where the work goes; nil is the device's default stream.
	Stream *cuda.Stream
	// Fusion says when several operations become one kernel.
	Fusion Fusion
}

// Workspace is where arrays live and are computed: a device, a stream, kernels and a pool of memory. Its methods, and those
// of its arrays, may be called from any goroutine; they take turns.
type Workspace struct {
	dev    *cuda.Device
	stream *cuda.Stream
	fusion Fusion
	pool   *cuda.MemoryPool

	mu         sync.Mutex
	closed     bool                      // guarded by mu, as all below
	modules    map[string]*cuda.Module   // embedded groups
	kernels    map[string]*cuda.Function // embedded by name, fused by key
	fused      []*cuda.Module
	seen       map[string]int // how often a structure came up that is not compiled
	noCompiler error          // why nothing is compiled
	scans      *scan.Library  // nil until needed, as the next two
	sorts      *sort.Library
	products   *linalg.Library
	stats      Stats
}

// Stats counts what a Workspace has done.
type Stats struct {
	// Launches is the number of kernels run, Fused how many of them were compiled for an expression.
	Launches, Fused int
	// Compiled is how many structures were compiled, Modules how many groups of embedded kernels were loaded.
	Compiled, Modules int
}

// NewWorkspace makes a workspace on a device.
func NewWorkspace(dev *cuda.Device, cfg Config) (*Workspace, error) {
	ws := &Workspace{
		dev: dev, stream: cfg.Stream, fusion: cfg.Fusion, pool: dev.NewMemoryPool(),
		modules: map[string]*cuda.Module{}, kernels: map[string]*cuda.Function{}, seen: map[string]int{},
	}
	if ws.stream == nil {
		ws.stream = dev.DefaultStream()
	}
	if ws.stream.Device() != dev {
		return nil, fmt.Errorf("make workspace: the stream belongs to %v, not to %v: %w", ws.stream.Device(), dev, cuda.ErrWrongDevice)
	}
	return ws, nil
}

// Device and Stream are where the workspace computes.
func (ws *Workspace) Device() *cuda.Device { return ws.dev }

// Stream is the stream of the workspace.
func (ws *Workspace) Stream() *cuda.Stream { return ws.stream }

// Stats returns what was done so far.
func (ws *Workspace) Stats() Stats {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return ws.stats
}

// Close gives kernels and pooled memory up. Arrays that hold memory keep it; computing with them is an error. The device
// and the stream stay open.
func (ws *Workspace) Close() error {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.closed {
		return nil
	}
	ws.closed = true
	var errs []error
	for _, m := range ws.modules {
		errs = append(errs, m.Close())
	}
	for _, m := range ws.fused {
		errs = append(errs, m.Close())
	}
	if ws.scans != nil {
		errs = append(errs, ws.scans.Close())
	}
	if ws.sorts != nil {
		errs = append(errs, ws.sorts.Close())
	}
	if ws.products != nil {
		errs = append(errs, ws.products.Close())
	}
	return errors.Join(append(errs, ws.pool.Close())...)
}

func (ws *Workspace) usable() error {
	if ws.closed {
		return failure(ErrWorkspace, "the workspace is closed")
	}
	return nil
}

// embedded finds a kernel in a group of embedded PTX.
func (ws *Workspace) embedded(ctx context.Context, group, name string) (*cuda.Function, error) {
	if f := ws.kernels[name]; f != nil {
		return f, nil
	}
	mod := ws.modules[group]
	if mod == nil {
		text, err := expr.PTX(group)
		if err != nil {
			return nil, err
		}
		if mod, err = ws.dev.Load(ctx, text, cuda.LoadConfig{Name: group + ".ptx"}); err != nil {
			return nil, fmt.Errorf("kernels of arrays: %w", err)
		}
		ws.modules[group] = mod
		ws.stats.Modules++
	}
	f, err := mod.Function(name)
	if err != nil {
		return nil, fmt.Errorf("kernels of arrays: %w", err)
	}
	ws.kernels[name] = f
	return f, nil
}

// The sizes from which FuseAuto compiles at once, and how often a structure comes up before it is compiled for less.
const (
	fuseElements = 1 << 15
	fuseTimes    = 8
)

// mayFuse says whether a structure on n elements shall be one kernel.
func (ws *Workspace) mayFuse(s *expr.Structure, key string, n int) bool {
	if ws.fusion == FuseNever || ws.noCompiler != nil {
		return false
	}
	if ws.fusion == FuseAlways || ws.kernels[key+kernelOf(s)] != nil {
		return true
	}
	ws.seen[key]++
	return n >= fuseElements || ws.seen[key] >= fuseTimes
}

// kernelOf is the form of one of the kernels of a structure.
func kernelOf(s *expr.Structure) string {
	if s.Reduce != "" {
		return expr.ByWarp
	}
	return ""
}

// compile finds or compiles the kernels of a structure. nil without an error: there is no compiler, and none is required.
func (ws *Workspace) compile(ctx context.Context, s *expr.Structure, key, form string) (*cuda.Function, error) {
	if f := ws.kernels[key+form]; f != nil {
		return f, nil
	}
	const name = "fused"
	// PTX is loaded as it is: its arguments are made here, so that debug information of them would be compiled in vain.
	text, _, err := cuda.CompilePTX(ctx, s.Prelude()+s.Source(name), cuda.CompileConfig{Name: "fused.cu", Options: expr.Options()})
	if errors.Is(err, cuda.ErrNoCompiler) && ws.fusion != FuseAlways {
		ws.noCompiler = err
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("fuse %s: %w", key, err)
	}
	mod, err := ws.dev.Load(ctx, text, cuda.LoadConfig{Name: "fused.ptx"})
	if err != nil {
		return nil, fmt.Errorf("fuse %s: %w", key, err)
	}
	for _, k := range mod.Kernels() {
		f, err := mod.Function(k)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("fuse %s: %w", key, err), mod.Close())
		}
		ws.kernels[key+k[len(name):]] = f
	}
	delete(ws.seen, key)
	ws.fused = append(ws.fused, mod)
	ws.stats.Compiled++
	return ws.kernels[key+form], nil
}

// launch queues a kernel.
func (ws *Workspace) launch(f *cuda.Function, grid, block cuda.Dim3, args []any) error {
	ws.stats.Launches++
	return f.Launch(cuda.LaunchConfig{Grid: grid, Block: block, Stream: ws.stream}, args...)
}

// threads is how many threads a block has where the kernel leaves it open.
func (ws *Workspace) threads() int {
	if ws.dev.Info().Kind == cuda.Host {
		return 512
	}
	return 256
}

// flat is the grid for n elements.
func (ws *Workspace) flat(n int) (grid, block cuda.Dim3) {
	t := ws.threads()
	return cuda.Blocks(n, t), cuda.D1(t)
}

const maxGridY = 65535

// rows is the grid for a strided kernel: threads along the columns, and where those are few, along the rows too.
func (ws *Workspace) rows(sp *kernelSpace) (grid, block cuda.Dim3) {
	most := uint64(ws.threads())
	x := min(most, powerOfTwo(sp.Cols))
	y := uint64(1)
	if x < 32 {
		y = min(powerOfTwo(uint64(sp.Rows)), most/x)
	}
	return cuda.D2(int(min((sp.Cols+x-1)/x, 1<<30)), int(min((uint64(sp.Rows)+y-1)/y, maxGridY))), cuda.D2(int(x), int(y))
}

// powerOfTwo is the least power of two that is not below n.
func powerOfTwo(n uint64) uint64 {
	if n <= 1 {
		return 1
	}
	return 1 << bits.Len64(n-1)
}

// alloc is pooled memory for n elements; nil for none.
func (ws *Workspace) alloc(t expr.Type, n int) (*storage, error) {
	if n == 0 {
		return &storage{}, nil
	}
	buf, err := cuda.AllocPooled[uint8](ws.pool, n*t.Size())
	if err != nil {
		return nil, err
	}
	return &storage{buf: buf}, nil
}
