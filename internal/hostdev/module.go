package hostdev

import (
	"context"
	"fmt"
	"runtime/pprof"
	"sync"
	"sync/atomic"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/interp"
	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/ksig"
	"github.com/tandem-go/tandem/internal/lower"
	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/passes"
	"github.com/tandem-go/tandem/internal/ptx"
	"github.com/tandem-go/tandem/internal/ptx/check"
)

// module implements driver.Module. All but kernels is constant.
type module struct {
	handle  driver.Module
	checked *check.Checked
	sigs    map[string]*ksig.Signature
	vars    variables

	mu      sync.Mutex // held while a kernel is lowered; never while waiting for device.mu
	kernels map[string]*function
}

// function implements driver.Function. All but handle, which device.mu guards, and programs is constant.
type function struct {
	handle  driver.Function // zero until it is looked up
	module  *module
	name    string
	kernel  *ir.Kernel
	info    driver.FunctionInfo
	memory  *mem.Space
	globals []uint64 // addresses of kernel.Globals
	engines []engine.Engine
	count   bool            // config.Count
	labels  context.Context // carries the kernel's name for profiles

	programs programs
	// blockTime is what a block of the last launch took, in nanoseconds; 0: none has run.
	blockTime atomic.Int64
}

func badModule(h driver.Module) error {
	return fail(driver.InvalidHandle, "use module %#x: no such module on this device", uint64(h))
}

// LoadModule parses and checks PTX text and places its variables. Kernels are lowered when they are looked up.
func (d *device) LoadModule(image []byte, o driver.ModuleOptions) (driver.Module, string, error) {
	if err := d.use(); err != nil {
		return 0, "", err
	}
	d.mu.Unlock()
	text, err := source(image)
	if err != nil {
		return 0, err.Error(), err
	}
	name := o.Name
	if name == "" {
		name = "ptx"
	}
	m, err := parse(name, text)
	if err != nil {
		return 0, err.Error(), fmt.Errorf("load module %s: %w: %w", name, driver.InvalidPTX, err)
	}
	if err := d.use(); err != nil {
		return 0, "", err
	}
	defer d.mu.Unlock()
	if m.vars, err = place(d.mem, m.checked); err != nil {
		return 0, err.Error(), fmt.Errorf("load module %s: %w: %w", name, statusOf(err), err)
	}
	m.handle = driver.Module(d.handle())
	d.modules[m.handle] = m
	return m.handle, "", nil
}

// parse finds every reason to reject PTX text.
func parse(name string, text []byte) (*module, error) {
	tree, err := ptx.Parse(name, text)
	if err != nil {
		return nil, err
	}
	checked, err := check.Check(tree)
	if err != nil {
		return nil, err
	}
	var errs ptx.ErrorList
	if checked.AddressBits != 64 {
		errs.Add(name, ptx.Pos{Line: 1, Col: 1}, "addresses of %d bits: the host device needs .address_size 64", checked.AddressBits)
		return nil, errs.Err()
	}
	headers, err := ptx.Headers(text)
	if err != nil {
		return nil, err
	}
	sigs := make(map[string]*ksig.Signature, len(headers))
	for i := range headers {
		sigs[headers[i].Entry] = &headers[i]
	}
	return &module{checked: checked, sigs: sigs, kernels: map[string]*function{}}, nil
}

// UnloadModule forgets a module and its functions, and frees its variables after the work that is queued now.
func (d *device) UnloadModule(h driver.Module) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.mu.Unlock()
	m, ok := d.modules[h]
	if !ok {
		return badModule(h)
	}
	delete(d.modules, h)
	for fh, f := range d.functions {
		if f.module == m {
			delete(d.functions, fh)
		}
	}
	var err error
	d.afterQueued(func() { err = m.vars.free() })
	if err != nil {
		return fmt.Errorf("unload module: %w: %w", statusOf(err), err)
	}
	return nil
}

// module finds a module for a lookup, which a fault does not forbid.
func (d *device) module(h driver.Module) (*module, error) {
	if err := d.enter(); err != nil {
		return nil, err
	}
	defer d.mu.Unlock()
	m, ok := d.modules[h]
	if !ok {
		return nil, badModule(h)
	}
	return m, nil
}

// Function finds a kernel and lowers it when it is found for the first time.
func (d *device) Function(h driver.Module, name string) (driver.Function, error) {
	m, err := d.module(h)
	if err != nil {
		return 0, err
	}
	if f := m.checked.Func(name); f == nil || !f.Entry || !f.Defined {
		return 0, fail(driver.NotFound, "find kernel %q", name)
	}
	f, err := d.lower(m, name)
	if err != nil {
		return 0, fmt.Errorf("prepare kernel %s: %w", name, err)
	}
	if err := d.enter(); err != nil {
		return 0, err
	}
	defer d.mu.Unlock()
	if d.modules[h] != m { // unloaded meanwhile
		return 0, badModule(h)
	}
	if f.handle == 0 {
		f.handle = driver.Function(d.handle())
		d.functions[f.handle] = f
	}
	return f.handle, nil
}

// lower returns the kernel of m with that name in the form that engines compile.
func (d *device) lower(m *module, name string) (*function, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f, ok := m.kernels[name]; ok {
		return f, nil
	}
	k, err := lower.Kernel(m.checked, name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", driver.NotSupported, err)
	}
	if err := passes.Run(k, passes.Options{KeepHalves: d.engines[0] == interp.New()}); err != nil {
		return nil, fmt.Errorf("%w: %w", driver.Unknown, err)
	}
	f := &function{module: m, name: name, kernel: k, memory: m.vars.memory, engines: d.engines, count: d.config.Count}
	f.labels = pprof.WithLabels(context.Background(), pprof.Labels("kernel", name))
	f.programs.all = map[driver.Dim3]compiled{}
	for _, g := range k.Globals {
		f.globals = append(f.globals, m.vars.named[g.Name])
	}
	f.describe(m)
	m.kernels[name] = f
	return f, nil
}

// describe fills in what FunctionInfo answers.
func (f *function) describe(m *module) {
	k := f.kernel
	f.info = driver.FunctionInfo{
		Signature:   m.sigs[f.name],
		MaxThreads:  engine.MaxThreads,
		SharedBytes: k.SharedBytes,
		ConstBytes:  m.vars.constBytes,
	}
	for _, fn := range k.Funcs { // each frame once: recursion needs more
		f.info.LocalBytes += fn.LocalBytes
	}
	for _, bound := range [][3]int{k.MaxThreads, k.ReqThreads} {
		if bound != [3]int{} {
			f.info.MaxThreads = min(f.info.MaxThreads, max(bound[0], 1)*max(bound[1], 1)*max(bound[2], 1))
		}
	}
	if v := m.checked.Module.Version; v != nil {
		f.info.PTXVersion = 10*v.Major + v.Minor
	}
}

// FunctionInfo describes a kernel.
func (d *device) FunctionInfo(h driver.Function) (driver.FunctionInfo, error) {
	if err := d.enter(); err != nil {
		return driver.FunctionInfo{}, err
	}
	defer d.mu.Unlock()
	f, ok := d.functions[h]
	if !ok {
		return driver.FunctionInfo{}, badFunction(h)
	}
	info := f.info
	f.programs.mu.Lock()
	info.Engine = f.programs.last
	info.Executed, info.InGo = f.programs.executed()
	f.programs.mu.Unlock()
	return info, nil
}

// Global finds a variable of module scope in global or constant memory.
func (d *device) Global(h driver.Module, name string) (driver.Ptr, uint64, error) {
	m, err := d.module(h)
	if err != nil {
		return 0, 0, err
	}
	v := m.checked.Var(name)
	addr, ok := m.vars.at[v]
	if !ok {
		return 0, 0, fail(driver.NotFound, "find variable %q", name)
	}
	return driver.Ptr(addr), uint64(v.Size), nil
}
