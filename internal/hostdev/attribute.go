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

	// Extents of images are those of the capability; the device itself takes larger ones.
	11: 1<<31 - 1,                                                                // pitch of a copy
	21: 1 << 17, 22: 1 << 17, 23: 1 << 16, 24: 1 << 14, 25: 1 << 14, 26: 1 << 14, // textures
	27: 1 << 15, 28: 1 << 15, 29: 1 << 11, 42: 1 << 15, 43: 1 << 11, // in layers
	30: textureAlign, 44: 1, 45: 1 << 15, 46: 1 << 15, 47: 1 << 13, 48: 1 << 13, 49: 1 << 15,
	52: 1 << 15, 53: 1 << 15, 54: 2046, // cubes
	55: 1 << 15, 56: 1 << 17, 57: 1 << 16, 58: 1 << 14, 59: 1 << 14, 60: 1 << 14, 61: 1 << 15, 62: 1 << 11, // surfaces
	63: 1 << 15, 64: 1 << 15, 65: 1 << 11, 66: 1 << 15, 67: 1 << 15, 68: 2046,
	69: 1 << 28, 70: 1 << 17, 71: 65000, 72: 2097120, // textures of memory
	78: 1,                                         // priorities of streams
	82: maxRegisters, 86: 1, 89: 1, 99: 1, 101: 1, // host and device are one
	87: 2, 106: 16,
}

// Attribute answers all attributes that CUDA has a name for.
func (d *device) Attribute(a driver.Attribute) (int, error) {
	if err := d.enter(); err != nil {
		return 0, err
	}
	d.mu.Unlock()
	if a == driver.MultiprocessorCount {
		return d.config.Workers, nil
	}
	if v, ok := attributes[a]; ok {
		return v, nil
	}
	if _, ok := driver.AttributeNames[a]; ok {
		return 0, nil
	}
	return 0, fail(driver.InvalidValue, "read attribute %d of the host device", int(a))
}
