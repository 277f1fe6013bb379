package nvidia

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/ksig"
	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
	"github.com/tandem-go/tandem/internal/ptx"
)

// module is a loaded image.
type module struct {
	object
	handle  driver.Module
	native  cuapi.Module
	headers map[string]*ksig.Signature // of PTX, by entry
	text    []byte                     // PTX, for launches of parts of a grid; nil if it is not known
	options []cuapi.JITSetting

	mu      sync.Mutex
	kernels map[string]driver.Function   // guarded by mu: those looked up
	infos   map[cuapi.Function]*function // guarded by mu: those loaded
	parts   []cuapi.Module               // guarded by mu: of kernels changed for launches of parts
}

// function is a kernel. It lives as long as its module.
type function struct {
	module *module
	native cuapi.Function
	name   string
	info   driver.FunctionInfo
	layout []cuapi.Param // of info.Signature; nil if there is none

	mu      sync.Mutex
	dynamic uint32      // guarded by mu: the dynamic shared memory that the driver was told to allow
	part    *partKernel // guarded by mu: the kernel changed for launches of parts, once needed
}

// module finds a module and counts the caller as its user.
func (d *device) module(h driver.Module) (*module, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	m, ok := d.modules[h]
	if !ok {
		return nil, fail(driver.InvalidHandle, "use module %#x: no such module on this device", uint64(h))
	}
	m.acquire()
	return m, nil
}

// LoadModule loads an image with all its kernels. Otherwise the driver would load each when it is first launched, and
// might wait for the whole device then, so that one stream would wait for another.
func (d *device) LoadModule(image []byte, o driver.ModuleOptions) (driver.Module, string, error) {
	if err := d.use(); err != nil {
		return 0, "", err
	}
	defer d.users.leave()
	name := o.Name
	if name == "" {
		name = "ptx"
	}
	data, text, err := prepare(image)
	if err != nil {
		return 0, "", fmt.Errorf("load %s: %w", name, err)
	}
	m := &module{kernels: map[string]driver.Function{}, infos: map[cuapi.Function]*function{}, options: settings(o), text: o.PTX}
	var log string
	err = d.call(func() (err error) {
		m.native, log, err = d.api.ModuleLoadDataEx(data, m.options)
		return err
	})
	log = strings.TrimSpace(log)
	if err != nil {
		if log == "" {
			log = err.Error()
		}
		return 0, log, fmt.Errorf("load %s: %w", name, err)
	}
	m.init(func() error { return d.endModule(m) })
	if text {
		m.text = data[:len(data)-1]
		m.readHeaders(m.text)
	}
	if err := d.loadKernels(m); err != nil {
		d.lose(m.release())
		return 0, log, d.saw(fmt.Errorf("load %s: %w", name, err))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	m.handle = driver.Module(d.handle())
	d.modules[m.handle] = m
	return m.handle, log, nil
}

// settings are the options of the driver's compiler.
func settings(o driver.ModuleOptions) []cuapi.JITSetting {
	var s []cuapi.JITSetting
	if o.OptLevel > 0 {
		s = append(s, cuapi.JITSetting{Option: cuapi.JITOptimizationLevel, Value: uint32(min(o.OptLevel, 4))})
	}
	if o.MaxRegisters > 0 {
		s = append(s, cuapi.JITSetting{Option: cuapi.JITMaxRegisters, Value: uint32(o.MaxRegisters)})
	}
	if o.Target > 0 {
		s = append(s, cuapi.JITSetting{Option: cuapi.JITTarget, Value: uint32(o.Target)})
	}
	if o.PreferBinary {
		s = append(s, cuapi.JITSetting{Option: cuapi.JITFallback, Value: cuapi.PreferBinary})
	}
	if o.Debug {
		s = append(s, cuapi.JITSetting{Option: cuapi.JITGenerateDebugInfo, Value: 1})
	}
	if o.LineInfo {
		s = append(s, cuapi.JITSetting{Option: cuapi.JITGenerateLineInfo, Value: 1})
	}
	return s
}

// readHeaders reads what the text's headers tell of parameters. The driver has accepted the text, so a header that this
// library cannot read is no reason to refuse it: that kernel's launches are not checked.
func (m *module) readHeaders(text []byte) {
	sigs, _ := ptx.Headers(text)
	m.headers = make(map[string]*ksig.Signature, len(sigs))
	for i := range sigs {
		m.headers[sigs[i].Entry] = &sigs[i]
	}
}

// loadKernels loads the kernels that the headers or the driver list.
func (d *device) loadKernels(m *module) error {
	if d.api.Has(cuapi.ModuleEnumerateFunctions) && d.api.Has(cuapi.FuncLoad) {
		return d.raw(func() error {
			fs, err := d.api.ModuleFunctions(m.native)
			for i := 0; err == nil && i < len(fs); i++ {
				err = d.api.FuncLoad(fs[i])
			}
			return err
		})
	}
	for name := range m.headers {
		if _, err := d.kernel(m, name); err != nil {
			return err
		}
	}
	return nil
}

// UnloadModule waits for the work queued before and unloads the module.
func (d *device) UnloadModule(h driver.Module) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer d.users.leave()
	d.mu.Lock()
	m, ok := d.modules[h]
	delete(d.modules, h)
	if ok {
		m.mu.Lock()
		for _, f := range m.kernels {
			delete(d.kernels, f)
		}
		m.mu.Unlock()
		d.regions.drop(h)
	}
	d.mu.Unlock()
	if !ok {
		return fail(driver.InvalidHandle, "unload module %#x: no such module on this device", uint64(h))
	}
	return m.release()
}

// endModule unloads a native module when the work queued is done: the manual does not say what the driver does about work.
func (d *device) endModule(m *module) error {
	if err := d.settle(); err != nil {
		return err // in doubt it stays until the context ends
	}
	var errs []error
	for _, native := range append(m.parts, m.native) { // nobody uses the module any more
		errs = append(errs, d.quiet(func() error { return d.api.ModuleUnload(native) }))
	}
	return errors.Join(errs...)
}

// badName reports a name that C cannot hold.
func badName(name string) bool { return name == "" || strings.IndexByte(name, 0) >= 0 }

// Function finds a kernel.
func (d *device) Function(h driver.Module, name string) (driver.Function, error) {
	if err := d.use(); err != nil {
		return 0, err
	}
	defer d.users.leave()
	m, err := d.module(h)
	if err != nil {
		return 0, err
	}
	defer func() { d.lose(m.release()) }()
	f, err := d.kernel(m, name)
	if err != nil {
		return 0, d.saw(fmt.Errorf("find kernel %q: %w", name, err))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.modules[h] != m {
		return 0, fail(driver.InvalidHandle, "find kernel %q: the module was unloaded", name)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	fh, there := m.kernels[name]
	if !there {
		fh = driver.Function(d.handle())
		m.kernels[name], d.kernels[fh] = fh, f
	}
	return fh, nil
}

// kernel finds and describes a kernel, once.
func (d *device) kernel(m *module, name string) (*function, error) {
	if badName(name) {
		return nil, driver.NotFound
	}
	f := &function{module: m, name: name}
	err := d.raw(func() (err error) {
		if f.native, err = d.api.ModuleGetFunction(m.native, name); err == nil {
			f.info, err = d.ask(f.native)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if known, ok := m.infos[f.native]; ok {
		return known, nil
	}
	if sig := m.headers[name]; sig != nil {
		f.info.Signature = sig
	} else if f.info.Signature != nil {
		f.info.Signature.Entry = name
	}
	f.layout = layoutOf(f.info.Signature)
	m.infos[f.native] = f
	return f, nil
}

// layoutOf is where parameters lie in the block; nil if that is not known.
func layoutOf(sig *ksig.Signature) []cuapi.Param {
	if sig == nil {
		return nil
	}
	all := make([]cuapi.Param, len(sig.Params))
	for i, p := range sig.Params {
		all[i] = cuapi.Param{Offset: p.Offset, Size: p.Size}
	}
	return all
}

// ask reads a kernel's attributes, and its parameters if the driver tells them.
func (d *device) ask(f cuapi.Function) (i driver.FunctionInfo, err error) {
	for _, a := range []struct {
		attribute cuapi.FuncAttribute
		v         *int
	}{
		{cuapi.FuncMaxThreadsPerBlock, &i.MaxThreads},
		{cuapi.FuncSharedSizeBytes, &i.SharedBytes},
		{cuapi.FuncConstSizeBytes, &i.ConstBytes},
		{cuapi.FuncLocalSizeBytes, &i.LocalBytes},
		{cuapi.FuncNumRegs, &i.Registers},
		{cuapi.FuncPTXVersion, &i.PTXVersion},
		{cuapi.FuncBinaryVersion, &i.BinaryVersion},
	} {
		if *a.v, err = d.api.FuncGetAttribute(a.attribute, f); err != nil {
			return i, err
		}
	}
	i.Signature, err = d.askParams(f)
	return i, err
}

// maxParams is more than a kernel can have: its parameters take at most 32764 bytes (PTX ISA, Kernel Function Parameters).
const maxParams = 32764

// askParams reads offsets and sizes of the parameters; nil where the driver is too old to tell (before CUDA 12.4).
func (d *device) askParams(f cuapi.Function) (*ksig.Signature, error) {
	if !d.api.Has(cuapi.FuncGetParamInfo) {
		return nil, nil
	}
	sig := &ksig.Signature{}
	for i := range maxParams {
		off, size, err := d.api.FuncGetParamInfo(f, i)
		if isStatus(translate(err), driver.InvalidValue) {
			break // behind the last
		}
		if err != nil {
			return nil, err
		}
		sig.Params = append(sig.Params, ksig.Param{Name: fmt.Sprintf("param_%d", i), Offset: off, Size: size, Align: 1})
		sig.Size = max(sig.Size, off+size)
	}
	return sig, nil
}

// FunctionInfo returns what was found out when the kernel was looked up.
func (d *device) FunctionInfo(h driver.Function) (driver.FunctionInfo, error) {
	if err := d.enter(); err != nil {
		return driver.FunctionInfo{}, err
	}
	defer d.users.leave()
	d.mu.RLock()
	defer d.mu.RUnlock()
	f, ok := d.kernels[h]
	if !ok {
		return driver.FunctionInfo{}, badFunction(h)
	}
	return f.info, nil
}

func badFunction(h driver.Function) error {
	return fail(driver.InvalidHandle, "use function %#x: no such function on this device", uint64(h))
}

// Global finds a variable.
func (d *device) Global(h driver.Module, name string) (driver.Ptr, uint64, error) {
	if err := d.use(); err != nil {
		return 0, 0, err
	}
	defer d.users.leave()
	m, err := d.module(h)
	if err != nil {
		return 0, 0, err
	}
	defer func() { d.lose(m.release()) }()
	if badName(name) {
		return 0, 0, fail(driver.NotFound, "find variable %q", name)
	}
	r := region{kind: moduleMemory, from: h}
	err = d.call(func() error {
		p, n, err := d.api.ModuleGetGlobal(m.native, name)
		r.base, r.size = driver.Ptr(p), n
		return err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("find variable %q: %w", name, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.modules[h] == m && r.size > 0 {
		d.regions.add(r)
	}
	return r.base, r.size, nil
}
