package cuda

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"sync"
	"sync/atomic"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/kargs"
	"github.com/tandem-go/tandem/internal/ksig"
)

// LaunchConfig says over how many threads a kernel runs. Grid and Block are required.
type LaunchConfig struct {
	_ struct{}
	// Grid is the number of blocks and Block the number of threads of each.
	Grid, Block Dim3
	// Part is which blocks of the grid to run; the zero value is all of them. The kernel sees the whole gridDim and its
	// true blockIdx, so launches over the parts of a grid do what one launch over all of it does. Device.LaunchesParts
	// tells whether the device can; else the error wraps ErrNotSupported.
	Part BlockRange
	// SharedBytes is the dynamic shared memory of each block in bytes.
	SharedBytes int
	// Stream is the queue; nil is the device's default stream.
	Stream *Stream
	// Cooperative makes all blocks resident at once, so that they may wait for each other (cooperative_groups::grid_group).
	// More blocks than fit give an error that wraps ErrInvalidValue.
	Cooperative bool
	// Cluster groups blocks whose shared memory is one (thread block clusters): its extent in blocks, of which the grid is a
	// multiple; the zero value is none. It needs a GPU of compute capability 9.0 or later; else the error wraps
	// ErrNotSupported. Function.Clusters tells what fits.
	Cluster Dim3
	// Early lets the kernel begin before the work queued before on the stream has ended (programmatic dependent launch): it
	// waits for that itself, by griddepcontrol.wait. Devices that cannot do so keep the order.
	Early bool
	// Checks turns on checks of the sanitizer for this launch, besides those of the device, and Cover counts the executions
	// of source lines. They need the host device; else the error wraps ErrNotSupported.
	Checks []Check
	Cover  bool
}

// Function is a kernel of a module. It keeps the module. Its methods may be called from any goroutine.
type Function struct {
	*kernel
	mod  *Module
	h    driver.Function
	info driver.FunctionInfo
	most limits
}

// limits are what the device allows.
type limits struct {
	grid, block [3]int
	shared      int // bytes of a block, static and dynamic together
}

// allows asks the device for its limits. It is asked once for each attribute.
func (c *core) allows() (l limits, err error) {
	for i := range 3 {
		if l.grid[i], err = c.attribute(driver.MaxGridDimX + driver.Attribute(i)); err != nil {
			return l, err
		}
		if l.block[i], err = c.attribute(driver.MaxBlockDimX + driver.Attribute(i)); err != nil {
			return l, err
		}
	}
	l.shared, err = c.attribute(driver.MaxSharedBytesPerBlockOptin)
	if errors.Is(err, driver.InvalidValue) || err == nil && l.shared == 0 { // a driver that does not know it yet
		l.shared, err = c.attribute(driver.MaxSharedBytesPerBlock)
	}
	return l, err
}

// kernel is what is known of a kernel without its module.
type kernel struct {
	name  string // as the caller asked for it
	op    string // "launch name"
	entry string // the PTX symbol
	file  string // the name of the source as the caller gave it
	// sig grows by debug information once; nil if nothing is known of the parameters.
	sig     atomic.Pointer[ksig.Signature]
	sourced atomic.Bool // debug information was looked for
}

// Name returns the name by which the function was found.
func (f *Function) Name() string { return f.name }

// Symbol returns the PTX symbol, which is mangled for C++ functions.
func (f *Function) Symbol() string { return f.entry }

// Module returns the function's module.
func (f *Function) Module() *Module { return f.mod }

// MaxThreads is the largest number of threads of a block for this kernel.
func (f *Function) MaxThreads() int { return f.info.MaxThreads }

// SharedBytes is the static shared memory of a block in bytes, LocalBytes the local memory of a thread, Registers the
// number of 32 bit registers of a thread (0 on the host device).
func (f *Function) SharedBytes() int { return f.info.SharedBytes }

// LocalBytes is the local memory of a thread in bytes.
func (f *Function) LocalBytes() int { return f.info.LocalBytes }

// Registers is the number of 32 bit registers of a thread; 0 on the host device.
func (f *Function) Registers() int { return f.info.Registers }

// String describes the kernel and its parameters as far as they are known: "saxpy(int32 n, float32 a, const float * x)".
func (f *Function) String() string {
	if sig := f.sig.Load(); sig != nil && len(sig.Params) > 0 {
		return f.name + kargs.Describe(sig)
	}
	return f.name + "()"
}

// Launch queues the kernel on the stream and returns. An argument is a scalar, a structure or array by value, a Buffer or
// HostBuffer, a slice in In, Out or InOut, or nil for a null pointer. In is copied before Launch returns; Out and InOut
// are filled by Stream.Wait, and must not be used before. A kernel's fault is returned by whoever waits. The error wraps
// ErrArgument if an argument does not fit, and ErrInvalidValue if an extent is out of range.
func (f *Function) Launch(cfg LaunchConfig, args ...any) error {
	v := newInvocation(f.mod.dev.c)
	defer v.done()
	p, err := f.prepare(context.Background(), v, &cfg, args)
	if err != nil {
		return err
	}
	defer p.release()
	return f.enqueue(v, p)
}

// Run launches the kernel and waits for it and for what was queued on the stream before; then it fills the slices in its
// own Out and InOut, and those of earlier launches are left to Stream.Wait. Without a stream it first waits for the
// buffers among the arguments. When ctx ends first, Run returns an error that wraps context.Cause(ctx), slices are
// unchanged, and the kernel is stopped where the device can do that (the host device, within 50 ms; buffers may then be
// partly written). Other errors are those of Launch and Stream.Wait.
func (f *Function) Run(ctx context.Context, cfg LaunchConfig, args ...any) error {
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("%s: %w", f.op, err)
	}
	v := newInvocation(f.mod.dev.c)
	defer v.done()
	p, err := f.prepare(ctx, v, &cfg, args)
	if err != nil {
		return err
	}
	defer p.release()
	return f.complete(ctx, v, p, cfg.Stream == nil)
}

// prepared is a checked launch that holds its module and stream.
type prepared struct {
	launch driver.Launch
	q      *queue
	mod    *Module
	done   func()
}

func (p *prepared) release() {
	p.done()
	p.mod.res.release()
}

// prepare checks everything about a launch and creates nothing.
func (f *Function) prepare(ctx context.Context, v *invocation, cfg *LaunchConfig, args []any) (*prepared, error) {
	p, err := f.admit(v, cfg)
	if err != nil {
		return nil, err
	}
	if err := f.bind(ctx, v, args); err != nil {
		p.release()
		return nil, err
	}
	return p, nil
}

// admit checks what a launch has besides its arguments, and holds module and stream. The result lies in v, since the driver's
// call would move it to the heap otherwise.
func (f *Function) admit(v *invocation, cfg *LaunchConfig) (*prepared, error) {
	if err := f.mod.res.acquire(f.op, "module"); err != nil {
		return nil, err
	}
	q, done, err := f.mod.dev.stream(f.op, cfg.Stream)
	if err != nil {
		f.mod.res.release()
		return nil, err
	}
	p := &v.prepared
	*p = prepared{q: q, mod: f.mod, done: done}
	if err = f.extents(cfg, &p.launch); err == nil {
		err = f.mod.dev.c.watched(f.op, cfg, &p.launch)
	}
	if err != nil {
		p.release()
		return nil, err
	}
	p.launch.Function, p.launch.Stream, p.launch.Cooperative, p.launch.Early = f.h, q.h, cfg.Cooperative, cfg.Early
	return p, nil
}

// bind encodes the arguments. Debug information is read when it can make a difference: before a pointer or structure is
// first passed, or to name the parameter of an argument that is refused.
func (f *Function) bind(ctx context.Context, v *invocation, args []any) error {
	if !f.sourced.Load() && needsSource(args) {
		if err := f.source(ctx); err != nil {
			return err
		}
	}
	err := v.bind(f, f.op, args)
	var refused *kargs.Error
	if !errors.As(err, &refused) {
		return err
	}
	if !f.sourced.Load() {
		if err := f.source(ctx); err != nil {
			return err
		}
		v.release()
		v.reset()
		v.c = f.mod.dev.c
		err = v.bind(f, f.op, args)
	}
	return asArgumentError(f.op, err)
}

// asArgumentError gives a refused argument its operation.
func asArgumentError(op string, err error) error {
	var refused *kargs.Error
	if errors.As(err, &refused) {
		return &argumentError{op, refused}
	}
	return err
}

// needsSource reports whether an argument is one that PTX says too little about.
func needsSource(args []any) bool {
	for _, a := range args {
		switch a.(type) {
		case int32, uint32, float32, int, uint, float64, int64, uint64, bool, int8, uint8, int16, uint16, nil:
			continue
		}
		switch reflect.TypeOf(a).Kind() {
		case reflect.Struct, reflect.Array, reflect.Pointer, reflect.Complex64, reflect.Complex128:
			return true // an Arg, a buffer or an aggregate
		}
	}
	return false
}

// source adds to the signature what debug information tells. It does so once, and does nothing where there is none. The
// error is that of ctx.
func (f *Function) source(ctx context.Context) error {
	sources, err := f.mod.sources(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", f.op, err)
	}
	old := f.sig.Load()
	if s := sources[f.entry]; old != nil && len(s) == len(old.Params) {
		sig := *old
		sig.Params = append([]ksig.Param(nil), old.Params...)
		for i := range s {
			sig.Params[i].Source = &s[i]
		}
		f.sig.Store(&sig)
	}
	f.sourced.Store(true)
	return nil
}

// extents checks grid, block and shared memory against the limits of device and kernel.
func (f *Function) extents(cfg *LaunchConfig, l *driver.Launch) error {
	c := f.mod.dev.c
	var err error
	if l.Grid, err = c.extent(f.op, "grid", "blocks", cfg.Grid, f.most.grid); err != nil {
		return err
	}
	if l.Block, err = c.extent(f.op, "block", "threads", cfg.Block, f.most.block); err != nil {
		return err
	}
	if n := l.Block.Count(); f.info.MaxThreads > 0 && n > uint64(f.info.MaxThreads) {
		return misused(f.op, ErrInvalidValue, "block %v has %d threads, this kernel takes at most %d on %s", cfg.Block, n, f.info.MaxThreads, c.name)
	}
	if sig := f.sig.Load(); sig != nil {
		if err := declared(f.op, sig, cfg.Block); err != nil {
			return err
		}
	}
	if err := f.part(cfg.Part, l); err != nil {
		return err
	}
	if err := f.cluster(cfg, l); err != nil {
		return err
	}
	return f.shared(cfg, l)
}

// extent checks one extent.
func (c *core) extent(op, what, units string, d Dim3, most [3]int) (driver.Dim3, error) {
	if d.X < 1 || d.Y < 1 || d.Z < 1 {
		return driver.Dim3{}, misused(op, ErrInvalidValue, "%s %v: every extent must be at least 1 (cuda.D1 and cuda.D2 fill up with 1)", what, d)
	}
	for i, n := range [3]int{d.X, d.Y, d.Z} {
		if n > most[i] || n > math.MaxUint32 {
			return driver.Dim3{}, misused(op, ErrInvalidValue, "%s %v: %d %s in %c, %s allows %d", what, d, n, units, 'x'+rune(i), c.name, most[i])
		}
	}
	return driver.Dim3{X: uint32(d.X), Y: uint32(d.Y), Z: uint32(d.Z)}, nil
}

// declared checks a block against __launch_bounds__ (PTX .maxntid) and .reqntid: the first bounds the number of threads,
// the second fixes each extent (PTX ISA, Performance-Tuning Directives).
func declared(op string, sig *ksig.Signature, d Dim3) error {
	product := func(n [3]int) int { return max(n[0], 1) * max(n[1], 1) * max(n[2], 1) }
	if sig.ReqThreads != [3]int{} {
		r := sig.ReqThreads
		if want := D3(max(r[0], 1), max(r[1], 1), max(r[2], 1)); d != want {
			return misused(op, ErrInvalidValue, "block %v: the kernel requires %v", d, want)
		}
	}
	if sig.MaxThreads != [3]int{} && d.X*d.Y*d.Z > product(sig.MaxThreads) {
		return misused(op, ErrInvalidValue, "block %v has %d threads, the kernel's launch bounds allow %d", d, d.X*d.Y*d.Z, product(sig.MaxThreads))
	}
	return nil
}

// shared checks the shared memory of a block, static and dynamic together.
func (f *Function) shared(cfg *LaunchConfig, l *driver.Launch) error {
	if cfg.SharedBytes < 0 || cfg.SharedBytes > f.most.shared-f.info.SharedBytes {
		return misused(f.op, ErrInvalidValue, "%d bytes of dynamic and %d of static shared memory, %s allows %d together",
			cfg.SharedBytes, f.info.SharedBytes, f.mod.dev.c.name, f.most.shared)
	}
	l.SharedBytes = uint32(cfg.SharedBytes)
	return nil
}

// queue copies slices to the device and queues the launch. On error nothing is left.
func (f *Function) queue(v *invocation, l *driver.Launch, q *queue, join bool) (driver.Ticket, error) {
	c := f.mod.dev.c
	if join {
		for _, s := range v.held {
			if err := s.m.join(q); err != nil {
				return 0, c.wrap(f.op, err)
			}
		}
	}
	if err := v.stage(q.h); err != nil {
		return 0, c.wrap(f.op, err)
	}
	l.Params = v.enc.Block
	// Noted before it runs: another goroutine may wait for the stream and get the fault.
	c.recent.note(f.kernel, v.uses)
	ticket, err := c.drv.Launch(l)
	if err != nil {
		v.unstage()
		return 0, c.wrap(f.op, err)
	}
	for _, s := range v.held {
		s.m.touch(q)
	}
	if k := q.capture.Load(); k != nil {
		k.add(f.mod)
	}
	return ticket, nil
}

// invocations keeps the memory of launches.
var invocations = sync.Pool{New: func() any { return new(invocation) }}

func newInvocation(c *core) *invocation {
	v := invocations.Get().(*invocation)
	v.c = c
	return v
}

// done ends the invocation: buffers are released, memory is kept for the next.
func (v *invocation) done() {
	v.release()
	v.reset()
	v.prepared = prepared{}
	invocations.Put(v)
}
