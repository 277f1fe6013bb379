package hostdev

import (
	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/engine"
)

// The device reports compute capability 7.5; the limits are those of that capability (CUDA C++ Programming Guide,
// Technical Specifications per Compute Capability), so that code which asks for them makes the same choices as on a GPU.
const (
	computeMajor = 7
	computeMinor = 5

	maxBlockXY     = 1024
	maxBlockZ      = 64
	maxGridX       = 1<<31 - 1
	maxGridYZ      = 1<<16 - 1
	maxShared      = 48 << 10
	maxSharedOptin = 64 << 10
	constBytes     = 64 << 10
	maxRegisters   = 64 << 10
	threadsPerSM   = 1024
	textureAlign   = 256
	pitchAlign     = 32
)

// attributes are those that do not depend on the machine. What a CPU has no counterpart of is 0.
var attributes = map[driver.Attribute]int{
	driver.MaxThreadsPerBlock:          engine.MaxThreads,
	driver.MaxBlockDimX:                maxBlockXY,
	driver.MaxBlockDimY:                maxBlockXY,
	driver.MaxBlockDimZ:                maxBlockZ,
	driver.MaxGridDimX:                 maxGridX,
	driver.MaxGridDimY:                 maxGridYZ,
	driver.MaxGridDimZ:                 maxGridYZ,
	driver.MaxSharedBytesPerBlock:      maxShared,
	driver.TotalConstantBytes:          constBytes,
	driver.WarpSize:                    engine.WarpSize,
	driver.MaxRegistersPerBlock:        maxRegisters,
	driver.ClockRateKHz:                1_000_000, // %clock counts nanoseconds
	driver.Integrated:                  1,
	driver.CanMapHostMemory:            1,
	driver.ConcurrentKernels:           1,
	driver.ECCEnabled:                  0,
	driver.PCIBusID:                    0,
	driver.PCIDeviceID:                 0,
	driver.MemoryClockRateKHz:          0,
	driver.GlobalMemoryBusWidth:        0,
	driver.L2CacheBytes:                0,
	driver.MaxThreadsPerSM:             threadsPerSM,
	driver.AsyncEngineCount:            0,
	driver.UnifiedAddressing:           1,
	driver.PCIDomainID:                 0,
	driver.ComputeCapabilityMajor:      computeMajor,
	driver.ComputeCapabilityMinor:      computeMinor,
	driver.MaxSharedBytesPerSM:         maxSharedOptin,
	driver.ManagedMemory:               1,
	driver.CooperativeLaunch:           1,
	driver.MaxSharedBytesPerBlockOptin: maxSharedOptin,
	driver.MemoryPoolsSupported:        1,
	driver.TextureAlignment:            textureAlign,
	driver.TexturePitchAlignment:       pitchAlign,
}

// Attribute answers the attributes that package driver names.
func (d *device) Attribute(a driver.Attribute) (int, error) {
	if a == driver.MultiprocessorCount {
		return d.config.Workers, nil
	}
	if v, ok := attributes[a]; ok {
		return v, nil
	}
	return 0, fail(driver.InvalidValue, "read attribute %d of the host device", int(a))
}
