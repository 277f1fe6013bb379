package cuda

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/ksig"
	"github.com/tandem-go/tandem/internal/nvjitlink"
	"github.com/tandem-go/tandem/internal/ptx"
)

// Module is loaded code: kernels and variables. Functions keep their module. The methods may be called from any
// goroutine.
type Module struct {
	dev     *Device
	res     *resource
	name    string
	known   bool              // entries is complete
	entries []ksig.Signature  // kernels of PTX
	lowered map[string]string // name expression → symbol
	log     string
	built   *build // nil unless compiled from source
	// embedded says that the code is CompileConfig.Embedded, and why.
	embedded string

	refsMu sync.Mutex
	refs   map[string]*memory // guarded by refsMu: textures and surfaces that references stand for, which it keeps

	reading chan struct{}            // room for one: held while debug is read, so that a context can end the wait for it
	debug   map[string][]ksig.Source // guarded by reading: by entry; nil until read
}

// LoadConfig says how Load treats an image.
type LoadConfig struct {
	_ struct{}
	// Name is the file name for messages; empty means "ptx".
	Name string
	// MaxRegisters bounds the registers of a thread where the device compiles PTX; 0 is no bound. The host device has none.
	MaxRegisters int
	// OptLevel is the level of a GPU's compiler of PTX, from 1 to 4; 0 is its default.
	OptLevel int
	// Debug and LineInfo ask a GPU's compiler for debug and line information.
	Debug, LineInfo bool
	// Target makes a GPU's compiler of PTX compile for another compute capability, as 80 for 8.0; 0 is that of the device.
	Target int
	// PreferBinary chooses, of an image without machine code for the GPU itself, machine code that is compatible instead of
	// PTX.
	PreferBinary bool
}

// Load loads PTX text, or a cubin or fatbin on a device that takes those. PTX that is wrong gives an error that wraps
// ErrInvalidPTX with every reason, machine code for another device one that wraps ErrNoBinary. PTX that is newer than a GPU's
// driver is compiled by nvJitLink where that library is found (Module.Log says so), else the error wraps ErrDriverTooOld
// and names both versions. Compiling may take seconds on a GPU; ctx is looked at before.
func (d *Device) Load(ctx context.Context, image []byte, cfg LoadConfig) (*Module, error) {
	if cfg.Name == "" {
		cfg.Name = "ptx"
	}
	op := "load " + cfg.Name
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	if len(image) == 0 {
		return nil, misused(op, ErrInvalidPTX, "the image is empty")
	}
	return d.load(op, image, image, cfg)
}

// load is loadImage, and makes machine code of PTX that is too new for the driver.
func (d *Device) load(op string, image, text []byte, cfg LoadConfig) (*Module, error) {
	m, err := d.loadImage(op, image, text, cfg)
	if d.c.caps.LoadsCubin && isText(image) && tooNew(err, logOf(err)) {
		return d.loadNew(op, image, cfg, err)
	}
	return m, err
}

// logOf is what a compiler of PTX said in an error of loadImage.
func logOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Detail
	}
	return ""
}

// loadNew loads PTX that the driver refused because it is too new, as machine code that nvJitLink makes. others are why
// something else did not do.
func (d *Device) loadNew(op string, text []byte, cfg LoadConfig, refused error, others ...error) (*Module, error) {
	cubin, said, err := d.assemble([]nvjitlink.Input{{Name: cfg.Name, Data: text}}, &cfg)
	if err != nil {
		return nil, d.tooOld(refused, text, append(others, err)...)
	}
	m, err := d.loadImage(op, cubin, text, cfg)
	if err == nil {
		m.log = strings.TrimSpace(said + ": " + describeVersions(text, d.driverVersion) + "\n" + m.log)
	}
	return m, err
}

// loadImage loads an image whose kernels are those of the text, which is the image itself if that is PTX.
func (d *Device) loadImage(op string, image, text []byte, cfg LoadConfig) (*Module, error) {
	if err := d.c.usable(op); err != nil {
		return nil, err
	}
	m := &Module{dev: d, name: cfg.Name, reading: make(chan struct{}, 1)}
	if isText(text) {
		// What the headers say wrong is for the device to report: on a GPU only they are read.
		if sigs, err := ptx.Headers(text); err == nil {
			m.entries, m.known = sigs, true
		}
	}
	var original []byte
	if isText(text) {
		original = text
	}
	var h driver.Module
	var err error
	labelled(context.Background(), op, func(context.Context) {
		err = d.c.withMemory(func() (err error) {
			o := cfg.options()
			o.PTX = original
			h, m.log, err = d.c.drv.LoadModule(image, o)
			return err
		})
	})
	if err != nil {
		return nil, d.c.withLog(d.c.wrap(op, err), m.log)
	}
	m.res = &resource{c: d.c, note: note{kind: moduleHandle, handle: uint64(h), gen: d.c.gen.Load()}}
	m.res.guard()
	return m, nil
}

// withLog adds the log of a failed load to its error, unless it is there already.
func (c *core) withLog(err error, log string) error {
	var e *Error
	if log = strings.TrimSpace(log); log != "" && errors.As(err, &e) && !strings.Contains(e.Detail, log) {
		e.Detail = log
	}
	return err
}

// isText tells PTX from machine code, which begins with ELF's or fatbin's magic number and has zero bytes.
func isText(image []byte) bool {
	for _, b := range image[:min(len(image), 512)] {
		if b == 0 {
			return false
		}
	}
	return true
}

// Device returns the module's device.
func (m *Module) Device() *Device { return m.dev }

// Log returns what the compilers said, warnings for instance; it may be empty.
func (m *Module) Log() string { return m.log }

// Kernels lists the PTX symbols of the module's kernels; nil for an image without PTX.
func (m *Module) Kernels() []string {
	var out []string
	for i := range m.entries {
		out = append(out, m.entries[i].Entry)
	}
	return out
}

// Close unloads the module once all work queued so far is done. Its functions and variables can no longer be used.
func (m *Module) Close() error { return m.res.close() }

// Function finds a kernel by a name expression that was registered when compiling, by its PTX symbol, or by its C++ name
// with or without namespaces when exactly one kernel has it. Otherwise the error wraps ErrNotFound and lists the kernels.
func (m *Module) Function(name string) (*Function, error) {
	op := fmt.Sprintf("find kernel %s in %s", name, m.name)
	if err := m.res.acquire(op, "module"); err != nil {
		return nil, err
	}
	defer m.res.release()
	symbol, err := m.symbol(op, name)
	if err != nil {
		return nil, err
	}
	c := m.dev.c
	h, err := c.drv.Function(driver.Module(m.res.note.handle), symbol)
	if err != nil {
		return nil, c.wrap(op, err)
	}
	info, err := c.drv.FunctionInfo(h)
	if err != nil {
		return nil, c.wrap(op, err)
	}
	most, err := c.allows()
	if err != nil {
		return nil, c.wrap(op, err)
	}
	f := &Function{kernel: &kernel{name: name, op: "launch " + name, entry: symbol, file: m.name}, mod: m, h: h, info: info, most: most}
	if sig := m.signature(symbol); sig != nil {
		f.sig.Store(sig)
	} else {
		f.sig.Store(info.Signature)
	}
	f.sourced.Store(m.built == nil)
	return f, nil
}

func (m *Module) signature(symbol string) *ksig.Signature {
	for i := range m.entries {
		if m.entries[i].Entry == symbol {
			return &m.entries[i]
		}
	}
	return nil
}

// symbol resolves a name.
func (m *Module) symbol(op, name string) (string, error) {
	if s, ok := m.lowered[name]; ok {
		return s, nil
	}
	if !m.known || m.signature(name) != nil {
		return name, nil
	}
	var found []string
	for i := range m.entries {
		e := m.entries[i].Entry
		if plain := plainName(e); plain == name || lastName(plain) == name {
			found = append(found, e)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return "", misused(op, ErrNotFound, "%d kernels have that name: %s; use the symbol, or register a name expression when compiling",
			len(found), strings.Join(found, ", "))
	case len(m.entries) == 0:
		return "", misused(op, ErrNotFound, "the module has no kernels; a kernel is a __global__ function, and a template must be instantiated")
	}
	return "", misused(op, ErrNotFound, "it has %s", m.list())
}

// list names the kernels, with C++ name and symbol where they differ.
func (m *Module) list() string {
	var b strings.Builder
	for i := range m.entries {
		if i > 0 {
			b.WriteString(", ")
		}
		e := m.entries[i].Entry
		if plain := plainName(e); plain != e {
			b.WriteString(plain + " as ")
		}
		b.WriteString(e)
	}
	return b.String()
}

// Global finds a variable of the module, __device__ or __constant__, by its C++ name or PTX symbol, and returns its
// memory as bytes; Reinterpret gives it a type. The view keeps the module. Kernels use variables without telling: copies
// without a stream wait for work on the default stream only. The error wraps ErrNotFound if there is no
// such variable, which is also so for one that no kernel uses and the compiler removed.
func (m *Module) Global(name string) (*Buffer[byte], error) {
	op := fmt.Sprintf("find variable %s in %s", name, m.name)
	if err := m.res.acquire(op, "module"); err != nil {
		return nil, err
	}
	defer m.res.release()
	c := m.dev.c
	var first error
	for _, symbol := range m.variableSymbols(name) {
		p, n, err := c.drv.Global(driver.Module(m.res.note.handle), symbol)
		if err == nil {
			mem := &memory{ptr: p, bytes: n, parent: m.res}
			mem.resource.c, mem.resource.note.gen = c, m.res.note.gen
			return &Buffer[byte]{dev: m.dev, mem: mem, n: int(n), view: true}, nil
		}
		if first == nil {
			first = err
		}
		if !errors.Is(err, driver.NotFound) {
			return nil, c.wrap(op, err)
		}
	}
	return nil, c.wrap(op, first)
}

// variableSymbols lists the symbols that a C++ variable of that name may have: a variable of the global namespace keeps
// its name, a static one and one in a namespace are mangled (Itanium C++ ABI, 5.1.2).
func (m *Module) variableSymbols(name string) []string {
	if s, ok := m.lowered[name]; ok {
		return []string{s}
	}
	parts := strings.Split(strings.TrimPrefix(name, "::"), "::")
	if len(parts) == 1 {
		return []string{name, fmt.Sprintf("_ZL%d%s", len(name), name)}
	}
	var b strings.Builder
	for _, p := range parts[:len(parts)-1] {
		fmt.Fprintf(&b, "%d%s", len(p), p)
	}
	last := parts[len(parts)-1]
	return []string{
		fmt.Sprintf("_ZN%s%d%sE", b.String(), len(last), last),
		fmt.Sprintf("_ZN%sL%d%sE", b.String(), len(last), last),
	}
}
