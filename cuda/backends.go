package cuda

import (
	"slices"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/hostdev"
	"github.com/tandem-go/tandem/internal/nvidia"
)

// This file is the only one that names back ends.

// gpuBackends are the back ends of GPUs, in order of preference.
func gpuBackends() []driver.Backend {
	return []driver.Backend{nvidia.New(nvidia.Config{})}
}

// engines are the engines of this build.
var engines = []string{"", "interp"}

// hostBackend makes the back end of a host device.
func hostBackend(cfg HostConfig) (driver.Backend, error) {
	const op = "open host device"
	if !slices.Contains(engines, cfg.Engine) {
		return nil, misused(op, ErrNotSupported, "engine %q is not available in this build; it has %q", cfg.Engine, engines[1:])
	}
	if len(cfg.Checks) > 0 {
		return nil, misused(op, ErrNotSupported, "checks %q are not available in this build", cfg.Checks)
	}
	return hostdev.New(hostdev.Config{
		Workers: cfg.Workers, MemoryLimit: cfg.MemoryLimit, Seed: cfg.Seed, Poison: cfg.Poison,
	}), nil
}
