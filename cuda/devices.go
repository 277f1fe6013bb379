package cuda

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/tandem-go/tandem/internal/driver"
)

// HostConfig configures the host device. The zero value is what Default uses.
type HostConfig struct {
	_ struct{}
	// Engine chooses what executes kernels: "interp" is the reference; "jit" compiles for this machine's processor, and
	// "jit/avx512", "jit/avx2" and "jit/neon" for one kind of it. Empty is what the environment variable TANDEM_ENGINE names,
	// without it the fastest that the machine can run.
	Engine string
	// Workers is how many blocks run at the same time; 0 is the number of processors (GOMAXPROCS).
	Workers int
	// Checks turns on checks of the sanitizer for all launches; Device.Reports returns what they find. All but memcheck make
	// launches run on the reference engine, one block at a time.
	Checks []Check
	// Cover counts the executions of source lines in all launches, for Device.Coverage.
	Cover bool
	// Seed varies what CUDA leaves open, in which order blocks begin and how long each runs before others get a turn, to
	// find kernels that depend on it; 0 is the usual order.
	Seed uint64
	// Poison fills new device memory, and each block's shared memory, with a pattern, so that a kernel that reads what
	// nobody wrote is noticed.
	Poison bool
	// Count makes kernels count what they execute, for Function.Escaped; it costs a few percent of their time.
	Count bool
	// MemoryLimit bounds device memory in bytes; 0 is three quarters of the machine's or the container's memory.
	MemoryLimit uint64
}

// system is the machine as this package sees it. Only backends.go fills one; tests make their own.
type system struct {
	// gpus are back ends of GPUs in order of preference.
	gpus []driver.Backend
	// host makes the back end of the host device.
	host func(HostConfig) (driver.Backend, error)
	// env reads an environment variable.
	env func(string) string
}

// Devices lists what there is. The host device is always in it, last. A GPU that cannot be used says why in Unusable,
// and so does one entry named after the driver if that fails altogether.
func Devices() []Info { return machine().devices() }

// Open opens a device by its ID, as Devices gives it and TANDEM_DEVICE takes it: "host", "gpu" for the first usable GPU,
// "gpu:1", or by the PCI address of a GPU. The error wraps ErrNoDevice if there is none, ErrGPUUnusable if there is one that fails.
func Open(id string) (*Device, error) { return machine().open(id) }

// OpenHost opens a host device of its own, which shares no memory with others. It is the one place to choose engine,
// workers and checks.
func OpenHost(cfg HostConfig) (*Device, error) { return machine().openHost(cfg) }

// defaultDevice is the device that Default opened.
var defaultDevice struct {
	sync.Mutex
	d *Device
}

// Default returns the device of the process: the same one each time until it is closed. The environment variable
// TANDEM_DEVICE chooses it: "host", "gpu", "gpu:1", or "auto", which is also what an empty one means: the first usable
// GPU, or the host device on a machine without an NVIDIA driver or without a GPU. A driver or GPU that is there and fails
// is an error that wraps ErrGPUUnusable and tells the reason; it never leads to the CPU silently.
func Default() (*Device, error) {
	defaultDevice.Lock()
	defer defaultDevice.Unlock()
	if d := defaultDevice.d; d != nil && !d.c.closed.Load() {
		return d, nil
	}
	d, err := machine().openDefault()
	if err != nil {
		return nil, err
	}
	defaultDevice.d = d
	return d, nil
}

func (s *system) openDefault() (*Device, error) {
	id := s.env("TANDEM_DEVICE")
	d, err := s.open(id)
	if err != nil && id != "" {
		return nil, fmt.Errorf("TANDEM_DEVICE=%s: %w", id, err)
	}
	return d, err
}

func (s *system) open(id string) (*Device, error) {
	switch kind, number, numbered := strings.Cut(id, ":"); {
	case id == "" || id == "auto":
		return s.openAuto()
	case id == "host":
		return s.openHost(HostConfig{})
	case id == "gpu":
		return s.openGPU(-1)
	case kind == "gpu" && numbered:
		if n, err := strconv.Atoi(number); err == nil && n >= 0 {
			return s.openGPU(n)
		}
	}
	if i, ok := s.byAddress(id); ok {
		return s.openGPU(i.Ordinal)
	}
	return nil, misused("open device", ErrInvalidValue, "%q is none of auto, host, gpu, gpu:N, or the PCI address of a GPU", id)
}

func (s *system) openAuto() (*Device, error) {
	d, err := s.openGPU(-1)
	if errors.Is(err, ErrNoDevice) && !errors.Is(err, ErrGPUUnusable) {
		return s.openHost(HostConfig{})
	}
	return d, err
}

func (s *system) openHost(cfg HostConfig) (*Device, error) {
	const op = "open host device"
	if cfg.Workers < 0 {
		return nil, misused(op, ErrInvalidValue, "%d workers", cfg.Workers)
	}
	b, err := s.host(cfg)
	if err != nil {
		return nil, err
	}
	d, err := openDevice(Host, b, 0)
	if err == nil && len(cfg.Checks) > 0 {
		d.c.sites.on.Store(true)
	}
	return d, openError(op, err)
}

// openGPU opens the GPU of that number, or for -1 the first that can be used.
func (s *system) openGPU(number int) (*Device, error) {
	var absent, broken []error
	for _, b := range s.gpus {
		infos, err := b.Devices()
		switch {
		case errors.Is(err, driver.ErrNoBackend):
			absent = append(absent, err)
		case err != nil:
			broken = append(broken, err)
		}
		for _, i := range infos {
			if number >= 0 && i.Ordinal != number {
				continue
			}
			if i.Unusable != nil {
				broken = append(broken, fmt.Errorf("gpu:%d (%s): %w", i.Ordinal, i.Name, i.Unusable))
				continue
			}
			d, err := openDevice(GPU, b, i.Ordinal)
			if err == nil {
				return d, nil
			}
			broken = append(broken, fmt.Errorf("gpu:%d (%s): %w", i.Ordinal, i.Name, err))
		}
	}
	if len(broken) > 0 {
		return nil, &unusable{ErrGPUUnusable, broken}
	}
	if number > 0 && len(absent) == 0 {
		return nil, &unusable{ErrNoDevice, []error{fmt.Errorf("there is no gpu:%d", number)}}
	}
	if len(absent) == 0 {
		absent = []error{errors.New("this build has no GPU back end")}
	}
	return nil, &unusable{ErrNoDevice, absent}
}

// unusable says why no GPU could be opened.
type unusable struct {
	sentinel error
	reasons  []error
}

// Error returns "the GPU cannot be used: reason; reason".
func (u *unusable) Error() string {
	texts := make([]string, len(u.reasons))
	for i, r := range u.reasons {
		texts[i] = r.Error()
	}
	return u.sentinel.Error() + ": " + strings.Join(texts, "; ")
}

// Unwrap returns the sentinel and the reasons.
func (u *unusable) Unwrap() []error { return append([]error{u.sentinel}, u.reasons...) }

// openError gives an error of a back end that is no device yet its public form.
func openError(op string, err error) error {
	if err == nil {
		return nil
	}
	return (&core{name: string(Host)}).wrap(op, err)
}

func (s *system) devices() []Info {
	var out []Info
	for _, b := range s.gpus {
		infos, err := b.Devices()
		for _, i := range infos {
			out = append(out, newInfo(GPU, i))
		}
		if err != nil && !errors.Is(err, driver.ErrNoBackend) {
			out = append(out, Info{ID: "gpu", Kind: GPU, Ordinal: -1, Name: b.Name() + " driver",
				Unusable: &unusable{ErrGPUUnusable, []error{err}}})
		}
	}
	b, err := s.host(HostConfig{})
	if err != nil {
		return append(out, Info{ID: string(Host), Kind: Host, Name: string(Host), Unusable: err})
	}
	infos, err := b.Devices()
	for _, i := range infos {
		out = append(out, newInfo(Host, i))
	}
	if len(infos) == 0 {
		out = append(out, Info{ID: string(Host), Kind: Host, Name: string(Host), Unusable: err})
	}
	return out
}

// thisMachine is the real system.
var thisMachine = sync.OnceValue(func() *system {
	return &system{gpus: gpuBackends(), host: hostBackend, env: os.Getenv}
})

// machine returns the system; tests replace it.
var machine = func() *system { return thisMachine() }
