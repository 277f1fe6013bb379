package cuda

import (
	"os"
	"slices"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/jit"
	"github.com/tandem-go/tandem/internal/hostdev"
	"github.com/tandem-go/tandem/internal/nvidia"
)

// This file is the only one that names back ends.

// gpuBackends are the back ends of GPUs, in order of preference.
func gpuBackends() []driver.Backend {
	return []driver.Backend{nvidia.New(nvidia.Config{})}
}

// OpenThrough opens the GPU of that number through a back end of this project's other modules, such as interop/gorgonia's: nobody
// else has one. The error wraps ErrNoDevice if there is no such GPU, ErrGPUUnusable if it fails.
func OpenThrough(b driver.Backend, number int) (*Device, error) {
	return (&system{gpus: []driver.Backend{b}}).openGPU(number)
}

// engineVariable names the engine of host devices whose configuration names none, for tests and comparisons.
const engineVariable = "TANDEM_ENGINE"

// engines are the names of engines that HostConfig.Engine takes; the empty name is the fastest that the machine can run,
// jit the fastest that compiles.
var engines = append([]string{"", "interp", "jit"}, jit.Names()...)

// hostEngine makes the engine of that name; nil is the reference engine.
func hostEngine(name string) (engine.Engine, error) {
	switch name {
	case "interp":
		return nil, nil
	case "", "jit":
		e, err := jit.New()
		if err != nil && name == "" {
			return nil, nil
		}
		return e, err
	}
	return jit.Named(name)
}

// hostBackend makes the back end of a host device.
func hostBackend(cfg HostConfig) (driver.Backend, error) {
	const op = "open host device"
	if cfg.Engine == "" {
		cfg.Engine = os.Getenv(engineVariable)
	}
	if !slices.Contains(engines, cfg.Engine) {
		return nil, misused(op, ErrNotSupported, "engine %q is not available in this build; it has %q", cfg.Engine, engines[1:])
	}
	checks, err := checkMask(op, cfg.Checks)
	if err != nil {
		return nil, err
	}
	e, err := hostEngine(cfg.Engine)
	if err != nil {
		return nil, misused(op, ErrNotSupported, "engine %q: %v", cfg.Engine, err)
	}
	return hostdev.New(hostdev.Config{
		Engine: e, Workers: cfg.Workers, MemoryLimit: cfg.MemoryLimit, Seed: cfg.Seed, Poison: cfg.Poison,
		Checks: checks, Cover: cfg.Cover, Count: cfg.Count,
	}), nil
}
