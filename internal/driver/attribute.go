package driver

// Attribute is a CUdevice_attribute by CUDA's number (driver manual, Data types used by CUDA driver).
type Attribute int

// The attributes that every back end answers. Others of AttributeNames may be 0; what has no name is passed to the driver by number.
const (
	MaxThreadsPerBlock          Attribute = 1
	MaxBlockDimX                Attribute = 2
	MaxBlockDimY                Attribute = 3
	MaxBlockDimZ                Attribute = 4
	MaxGridDimX                 Attribute = 5
	MaxGridDimY                 Attribute = 6
	MaxGridDimZ                 Attribute = 7
	MaxSharedBytesPerBlock      Attribute = 8
	TotalConstantBytes          Attribute = 9
	WarpSize                    Attribute = 10
	MaxRegistersPerBlock        Attribute = 12
	ClockRateKHz                Attribute = 13
	TextureAlignment            Attribute = 14
	MultiprocessorCount         Attribute = 16
	Integrated                  Attribute = 18
	CanMapHostMemory            Attribute = 19
	ConcurrentKernels           Attribute = 31
	ECCEnabled                  Attribute = 32
	PCIBusID                    Attribute = 33
	PCIDeviceID                 Attribute = 34
	MemoryClockRateKHz          Attribute = 36
	GlobalMemoryBusWidth        Attribute = 37
	L2CacheBytes                Attribute = 38
	MaxThreadsPerSM             Attribute = 39
	AsyncEngineCount            Attribute = 40
	UnifiedAddressing           Attribute = 41
	PCIDomainID                 Attribute = 50
	TexturePitchAlignment       Attribute = 51
	ComputeCapabilityMajor      Attribute = 75
	ComputeCapabilityMinor      Attribute = 76
	MaxSharedBytesPerSM         Attribute = 81
	ManagedMemory               Attribute = 83
	CooperativeLaunch           Attribute = 95
	MaxSharedBytesPerBlockOptin Attribute = 97
	MemoryPoolsSupported        Attribute = 115
	ClusterLaunch               Attribute = 120
)
