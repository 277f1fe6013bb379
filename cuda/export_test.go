package cuda

import (
	"context"
	"math"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/ksig"
	"github.com/tandem-go/tandem/internal/nvrtc"
)

// OpenBackend opens device 0 of a back end.
func OpenBackend(k Kind, b driver.Backend) (*Device, error) { return openDevice(k, b, 0) }

// System is a machine made of given back ends.
type System struct{ s system }

// NewSystem makes one.
func NewSystem(env string, host func(HostConfig) (driver.Backend, error), gpus ...driver.Backend) *System {
	return &System{system{gpus: gpus, host: host, env: func(string) string { return env }}}
}

// Devices, Open and OpenDefault are what the package does with it.
func (s *System) Devices() []Info                 { return s.s.devices() }
func (s *System) Open(id string) (*Device, error) { return s.s.open(id) }
func (s *System) OpenDefault() (*Device, error)   { return s.s.openDefault() }
func (s *System) OpenMostFree() (*Device, error)  { return s.s.openMostFree() }

// Compiler is what Compile needs of NVRTC.
type Compiler = compiler

// CompileWith is Device.Compile with another compiler.
func CompileWith(ctx context.Context, d *Device, c Compiler, source string, cfg CompileConfig) (*Module, error) {
	if cfg.Name == "" {
		cfg.Name = "kernel.cu"
	}
	return d.compile(ctx, "compile "+cfg.Name, c, source, cfg)
}

// WithoutCompiler makes NVRTC absent until the returned function is called.
func WithoutCompiler(reason error) (restore func()) {
	openedCompilers.Lock()
	defer openedCompilers.Unlock()
	open, opened := openCompiler, openedCompilers.by
	openCompiler = func(bool) (compiler, error) { return nil, reason }
	openedCompilers.by = nil
	return func() {
		openedCompilers.Lock()
		defer openedCompilers.Unlock()
		openCompiler, openedCompilers.by = open, opened
	}
}

// Library is NVRTC as a Compiler.
func Library(c *nvrtc.Compiler) Compiler { return library{c} }

// SetSource gives a function debug information.
func SetSource(f *Function, s ...ksig.Source) {
	sig := *f.sig.Load()
	sig.Params = append([]ksig.Param(nil), sig.Params...)
	for i := range s {
		sig.Params[i].Source = &s[i]
	}
	f.sig.Store(&sig)
}

// PlainName is plainName.
func PlainName(symbol string) string { return plainName(symbol) }

// WithLinker puts another nvJitLink in place until the returned function is called.
func WithLinker(l jitLinker, err error) (restore func()) {
	open := openLinker
	openLinker = func() (jitLinker, error) { return l, err }
	return func() { openLinker = open }
}

// Distance is how far apart Verify takes two numbers to be.
func Distance(x, y float64) uint64 {
	s := side{elem: elemOf[float64]()}
	return s.distance(math.Float64bits(x), math.Float64bits(y))
}

// Reclaim lets everything dropped be found and freed.
func Reclaim(d *Device) { d.c.reclaim() }

// ShadowBytes is the most memory that the checks of one launch have taken.
func (d *Device) ShadowBytes() uint64 { return d.c.drv.(driver.Checker).ShadowBytes() }

// Executed is how many operations of lanes a kernel has executed, and how many of these in Go.
func Executed(f *Function) (all, inGo uint64) {
	info, err := f.mod.dev.c.drv.FunctionInfo(f.h)
	if err != nil {
		return 0, 0
	}
	return info.Executed, info.InGo
}
