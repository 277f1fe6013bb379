package cuapi

// Results that this package or its callers tell apart.
const (
	Success        Result = 0
	InvalidValue   Result = 1
	OutOfMemory    Result = 2
	NotInitialized Result = 3
	StubLibrary    Result = 34
	NoDevice       Result = 100
	NotFound       Result = 500
	NotReady       Result = 600
)

// Flags and enumerators of the calls, named as in cuda.h.
const (
	StreamNonBlocking = 1 // CU_STREAM_NON_BLOCKING

	EventDefault       = 0 // CU_EVENT_DEFAULT
	EventDisableTiming = 2 // CU_EVENT_DISABLE_TIMING

	MemHostAllocPortable  = 1 // CU_MEMHOSTALLOC_PORTABLE
	MemHostAllocDeviceMap = 2 // CU_MEMHOSTALLOC_DEVICEMAP

	ComputeModeProhibited = 2  // CU_COMPUTEMODE_PROHIBITED
	AttributeComputeMode  = 20 // CU_DEVICE_ATTRIBUTE_COMPUTE_MODE

	MemHostRegisterPortable  = 1 // CU_MEMHOSTREGISTER_PORTABLE
	MemHostRegisterDeviceMap = 2 // CU_MEMHOSTREGISTER_DEVICEMAP

	ArrayLayered       = 1 // CUDA_ARRAY3D_LAYERED
	ArraySurface       = 2 // CUDA_ARRAY3D_SURFACE_LDST
	ArrayCubemap       = 4 // CUDA_ARRAY3D_CUBEMAP
	ArrayTextureGather = 8 // CUDA_ARRAY3D_TEXTURE_GATHER

	memoryTypeArray   = 3 // CU_MEMORYTYPE_ARRAY
	memoryTypeUnified = 4 // CU_MEMORYTYPE_UNIFIED

	resourceArray   = 0 // CU_RESOURCE_TYPE_ARRAY
	resourceMipmap  = 1 // CU_RESOURCE_TYPE_MIPMAPPED_ARRAY
	resourceLinear  = 2 // CU_RESOURCE_TYPE_LINEAR
	resourcePitch2D = 3 // CU_RESOURCE_TYPE_PITCH2D

	filterLinear      = 1  // CU_TR_FILTER_MODE_LINEAR
	textureAsInteger  = 1  // CU_TRSF_READ_AS_INTEGER
	textureNormalized = 2  // CU_TRSF_NORMALIZED_COORDINATES
	referenceFormat   = 1  // CU_TRSA_OVERRIDE_FORMAT
	allocationPinned  = 1  // CU_MEM_ALLOCATION_TYPE_PINNED
	LocationDevice    = 1  // CU_MEM_LOCATION_TYPE_DEVICE
	LocationHost      = 2  // CU_MEM_LOCATION_TYPE_HOST
	deviceCPU         = -1 // CU_DEVICE_CPU
	attachGlobal      = 1  // CU_MEM_ATTACH_GLOBAL

	PoolKeepBytes    = 4 // CU_MEMPOOL_ATTR_RELEASE_THRESHOLD
	PoolReserved     = 5 // CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT
	PoolReservedPeak = 6 // CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH
	PoolUsed         = 7 // CU_MEMPOOL_ATTR_USED_MEM_CURRENT
	PoolUsedPeak     = 8 // CU_MEMPOOL_ATTR_USED_MEM_HIGH

	captureRelaxed = 2 // CU_STREAM_CAPTURE_MODE_RELAXED

	PreferBinary = 1 // CU_PREFER_BINARY

	InputCubin   = 0 // CU_JIT_INPUT_CUBIN
	InputPTX     = 1 // CU_JIT_INPUT_PTX
	InputFatbin  = 2 // CU_JIT_INPUT_FATBINARY
	InputObject  = 3 // CU_JIT_INPUT_OBJECT
	InputLibrary = 4 // CU_JIT_INPUT_LIBRARY

	launchCooperative = 2 // CU_LAUNCH_ATTRIBUTE_COOPERATIVE
	launchCluster     = 4 // CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION
	launchEarly       = 6 // CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION

	PointerHost       = 4  // CU_POINTER_ATTRIBUTE_HOST_POINTER
	PointerRangeStart = 11 // CU_POINTER_ATTRIBUTE_RANGE_START_ADDR
	PointerRangeSize  = 12 // CU_POINTER_ATTRIBUTE_RANGE_SIZE

	launchParamEnd           = 0 // CU_LAUNCH_PARAM_END
	launchParamBufferPointer = 1 // CU_LAUNCH_PARAM_BUFFER_POINTER
	launchParamBufferSize    = 2 // CU_LAUNCH_PARAM_BUFFER_SIZE
)

// FuncAttribute is a CUfunction_attribute.
type FuncAttribute int32

// The attributes of kernels.
const (
	FuncMaxThreadsPerBlock    FuncAttribute = 0
	FuncSharedSizeBytes       FuncAttribute = 1
	FuncConstSizeBytes        FuncAttribute = 2
	FuncLocalSizeBytes        FuncAttribute = 3
	FuncNumRegs               FuncAttribute = 4
	FuncPTXVersion            FuncAttribute = 5
	FuncBinaryVersion         FuncAttribute = 6
	FuncMaxDynamicSharedBytes FuncAttribute = 8
	FuncWideClusters          FuncAttribute = 14 // CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED
)

// JITOption is a CUjit_option.
type JITOption int32

// The options of the driver's compiler of PTX.
const (
	JITMaxRegisters       JITOption = 0
	JITInfoLogBuffer      JITOption = 3
	JITInfoLogBufferSize  JITOption = 4
	JITErrorLogBuffer     JITOption = 5
	JITErrorLogBufferSize JITOption = 6
	JITOptimizationLevel  JITOption = 7
	JITTarget             JITOption = 9
	JITFallback           JITOption = 10
	JITGenerateDebugInfo  JITOption = 11
	JITGenerateLineInfo   JITOption = 13
)

// Value is a number of this package under the name that cuda.h gives it.
type Value struct {
	Name  string
	Value int
}

// Values lists the numbers, for the check against cuda.h.
func Values() []Value {
	return []Value{
		{"CUDA_SUCCESS", int(Success)}, {"CUDA_ERROR_INVALID_VALUE", int(InvalidValue)},
		{"CUDA_ERROR_OUT_OF_MEMORY", int(OutOfMemory)}, {"CUDA_ERROR_NOT_INITIALIZED", int(NotInitialized)},
		{"CUDA_ERROR_STUB_LIBRARY", int(StubLibrary)}, {"CUDA_ERROR_NO_DEVICE", int(NoDevice)},
		{"CUDA_ERROR_NOT_FOUND", int(NotFound)}, {"CUDA_ERROR_NOT_READY", int(NotReady)},
		{"CU_STREAM_NON_BLOCKING", StreamNonBlocking},
		{"CU_EVENT_DEFAULT", EventDefault}, {"CU_EVENT_DISABLE_TIMING", EventDisableTiming},
		{"CU_MEMHOSTALLOC_PORTABLE", MemHostAllocPortable}, {"CU_MEMHOSTALLOC_DEVICEMAP", MemHostAllocDeviceMap},
		{"CU_MEMHOSTREGISTER_PORTABLE", MemHostRegisterPortable}, {"CU_MEMHOSTREGISTER_DEVICEMAP", MemHostRegisterDeviceMap},
		{"CUDA_ARRAY3D_LAYERED", ArrayLayered}, {"CUDA_ARRAY3D_SURFACE_LDST", ArraySurface},
		{"CUDA_ARRAY3D_CUBEMAP", ArrayCubemap}, {"CUDA_ARRAY3D_TEXTURE_GATHER", ArrayTextureGather},
		{"CU_POINTER_ATTRIBUTE_HOST_POINTER", PointerHost},
		{"CU_POINTER_ATTRIBUTE_RANGE_START_ADDR", PointerRangeStart},
		{"CU_POINTER_ATTRIBUTE_RANGE_SIZE", PointerRangeSize},
		{"CU_LAUNCH_ATTRIBUTE_COOPERATIVE", launchCooperative}, {"CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION", launchCluster},
		{"CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION", launchEarly},
		{"CU_MEMORYTYPE_ARRAY", memoryTypeArray}, {"CU_MEMORYTYPE_UNIFIED", memoryTypeUnified},
		{"CU_RESOURCE_TYPE_ARRAY", resourceArray}, {"CU_RESOURCE_TYPE_MIPMAPPED_ARRAY", resourceMipmap}, {"CU_RESOURCE_TYPE_LINEAR", resourceLinear},
		{"CU_RESOURCE_TYPE_PITCH2D", resourcePitch2D}, {"CU_TR_FILTER_MODE_LINEAR", filterLinear},
		{"CU_TRSF_READ_AS_INTEGER", textureAsInteger}, {"CU_TRSF_NORMALIZED_COORDINATES", textureNormalized},
		{"CU_TRSA_OVERRIDE_FORMAT", referenceFormat},
		{"CU_MEM_ALLOCATION_TYPE_PINNED", allocationPinned}, {"CU_MEM_LOCATION_TYPE_DEVICE", LocationDevice},
		{"(int)CU_DEVICE_CPU", deviceCPU}, {"CU_MEM_ATTACH_GLOBAL", attachGlobal},
		{"CU_MEMPOOL_ATTR_RELEASE_THRESHOLD", PoolKeepBytes}, {"CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT", PoolReserved},
		{"CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH", PoolReservedPeak}, {"CU_MEMPOOL_ATTR_USED_MEM_CURRENT", PoolUsed},
		{"CU_MEMPOOL_ATTR_USED_MEM_HIGH", PoolUsedPeak},
		{"CU_AD_FORMAT_UNSIGNED_INT8", 1}, {"CU_AD_FORMAT_UNSIGNED_INT16", 2}, {"CU_AD_FORMAT_UNSIGNED_INT32", 3},
		{"CU_AD_FORMAT_SIGNED_INT8", 8}, {"CU_AD_FORMAT_SIGNED_INT16", 9}, {"CU_AD_FORMAT_SIGNED_INT32", 10},
		{"CU_AD_FORMAT_HALF", 16}, {"CU_AD_FORMAT_FLOAT", 32},
		{"CU_TR_ADDRESS_MODE_WRAP", 0}, {"CU_TR_ADDRESS_MODE_CLAMP", 1}, {"CU_TR_ADDRESS_MODE_MIRROR", 2}, {"CU_TR_ADDRESS_MODE_BORDER", 3},
		{"CU_MEM_ADVISE_SET_READ_MOSTLY", 1}, {"CU_MEM_ADVISE_UNSET_READ_MOSTLY", 2},
		{"CU_MEM_ADVISE_SET_PREFERRED_LOCATION", 3}, {"CU_MEM_ADVISE_UNSET_PREFERRED_LOCATION", 4},
		{"CU_MEM_ADVISE_SET_ACCESSED_BY", 5}, {"CU_MEM_ADVISE_UNSET_ACCESSED_BY", 6},
		{"CU_MEM_ATTACH_HOST", 2}, {"CU_MEM_ATTACH_SINGLE", 4},
		{"CU_STREAM_CAPTURE_MODE_RELAXED", captureRelaxed},
		{"CU_JIT_INPUT_CUBIN", InputCubin}, {"CU_JIT_INPUT_PTX", InputPTX}, {"CU_JIT_INPUT_FATBINARY", InputFatbin},
		{"CU_JIT_INPUT_OBJECT", InputObject}, {"CU_JIT_INPUT_LIBRARY", InputLibrary},
		{"CU_LIMIT_STACK_SIZE", 0}, {"CU_LIMIT_PRINTF_FIFO_SIZE", 1}, {"CU_LIMIT_MALLOC_HEAP_SIZE", 2},
		{"CU_LIMIT_DEV_RUNTIME_SYNC_DEPTH", 3}, {"CU_LIMIT_DEV_RUNTIME_PENDING_LAUNCH_COUNT", 4},
		{"CU_FUNC_CACHE_PREFER_NONE", 0}, {"CU_FUNC_CACHE_PREFER_SHARED", 1}, {"CU_FUNC_CACHE_PREFER_L1", 2}, {"CU_FUNC_CACHE_PREFER_EQUAL", 3},
		{"CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT", 9},
		{"CU_COMPUTEMODE_PROHIBITED", ComputeModeProhibited}, {"CU_DEVICE_ATTRIBUTE_COMPUTE_MODE", AttributeComputeMode},
		{"CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK", int(FuncMaxThreadsPerBlock)},
		{"CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES", int(FuncSharedSizeBytes)},
		{"CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES", int(FuncConstSizeBytes)},
		{"CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES", int(FuncLocalSizeBytes)},
		{"CU_FUNC_ATTRIBUTE_NUM_REGS", int(FuncNumRegs)},
		{"CU_FUNC_ATTRIBUTE_PTX_VERSION", int(FuncPTXVersion)},
		{"CU_FUNC_ATTRIBUTE_BINARY_VERSION", int(FuncBinaryVersion)},
		{"CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES", int(FuncMaxDynamicSharedBytes)},
		{"CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED", int(FuncWideClusters)},
		{"CU_JIT_MAX_REGISTERS", int(JITMaxRegisters)},
		{"CU_JIT_INFO_LOG_BUFFER", int(JITInfoLogBuffer)},
		{"CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES", int(JITInfoLogBufferSize)},
		{"CU_JIT_ERROR_LOG_BUFFER", int(JITErrorLogBuffer)},
		{"CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES", int(JITErrorLogBufferSize)},
		{"CU_JIT_OPTIMIZATION_LEVEL", int(JITOptimizationLevel)},
		{"CU_JIT_TARGET", int(JITTarget)}, {"CU_JIT_FALLBACK_STRATEGY", int(JITFallback)}, {"CU_PREFER_BINARY", PreferBinary},
		{"CU_TARGET_COMPUTE_75", 75}, {"CU_TARGET_COMPUTE_80", 80}, {"CU_TARGET_COMPUTE_90", 90},
		{"CU_JIT_GENERATE_DEBUG_INFO", int(JITGenerateDebugInfo)},
		{"CU_JIT_GENERATE_LINE_INFO", int(JITGenerateLineInfo)},
	}
}

// PointerValues lists the numbers that cuda.h makes pointers.
func PointerValues() []Value {
	return []Value{
		{"CU_LAUNCH_PARAM_END", launchParamEnd},
		{"CU_LAUNCH_PARAM_BUFFER_POINTER", launchParamBufferPointer},
		{"CU_LAUNCH_PARAM_BUFFER_SIZE", launchParamBufferSize},
	}
}

// Size is a C type with the size that this package assumes, in bytes.
type Size struct {
	Type  string
	Bytes int
}

// Sizes lists the types that cross the border to C, for the check against cuda.h.
func Sizes() []Size {
	return []Size{
		{"CUresult", 4}, {"CUdevice", 4}, {"CUcontext", 8}, {"CUstream", 8}, {"CUevent", 8}, {"CUmodule", 8},
		{"CUfunction", 8}, {"CUdeviceptr", 8}, {"CUuuid", 16}, {"CUjit_option", 4}, {"CUfunction_attribute", 4},
		{"CUdevice_attribute", 4}, {"size_t", 8}, {"float", 4}, {"CUarray", 8}, {"CUtexObject", 8}, {"CUsurfObject", 8},
		{"CUmipmappedArray", 8}, {"CUtexref", 8}, {"CUsurfref", 8}, {"CUDA_ARRAY_DESCRIPTOR", 24},
		{"CUmemoryPool", 8}, {"CUmemLocation", 8}, {"CUDA_MEMCPY3D", 200}, {"CUDA_ARRAY3D_DESCRIPTOR", 40},
		{"CUDA_RESOURCE_DESC", 144}, {"CUDA_TEXTURE_DESC", 104}, {"CUmemPoolProps", 88}, {"CUgraph", 8}, {"CUgraphNode", 8}, {"CUgraphExec", 8}, {"CUlinkState", 8}, {"CUlimit", 4},
		{"CUfunc_cache", 4}, {"CUstreamCaptureMode", 4}, {"CUjitInputType", 4}, {"CUDA_MEMSET_NODE_PARAMS", 40},
		{"CUDA_HOST_NODE_PARAMS", 16}, {"CUDA_MEMCPY3D_PEER", 200}, {"CUlaunchConfig", 56}, {"CUlaunchAttribute", 72}, {"CUpointer_attribute", 4},
	}
}

// Offset is where a member of a C structure lies, in bytes.
type Offset struct {
	Type, Member string
	Bytes        int
}

// Offsets lists the members that this package writes by their place, for the check against cuda.h.
func Offsets() []Offset {
	return []Offset{
		{"CUDA_MEMCPY3D", "srcXInBytes", 0}, {"CUDA_MEMCPY3D", "srcY", 8}, {"CUDA_MEMCPY3D", "srcZ", 16},
		{"CUDA_MEMCPY3D", "srcMemoryType", 32}, {"CUDA_MEMCPY3D", "srcDevice", 48}, {"CUDA_MEMCPY3D", "srcArray", 56},
		{"CUDA_MEMCPY3D", "srcPitch", 72}, {"CUDA_MEMCPY3D", "srcHeight", 80}, {"CUDA_MEMCPY3D", "dstXInBytes", 88},
		{"CUDA_MEMCPY3D", "dstY", 96}, {"CUDA_MEMCPY3D", "dstZ", 104}, {"CUDA_MEMCPY3D", "dstMemoryType", 120},
		{"CUDA_MEMCPY3D", "dstDevice", 136}, {"CUDA_MEMCPY3D", "dstArray", 144}, {"CUDA_MEMCPY3D", "dstPitch", 160},
		{"CUDA_MEMCPY3D", "dstHeight", 168}, {"CUDA_MEMCPY3D", "WidthInBytes", 176}, {"CUDA_MEMCPY3D", "Height", 184},
		{"CUDA_MEMCPY3D", "Depth", 192},
		{"CUDA_ARRAY3D_DESCRIPTOR", "Width", 0}, {"CUDA_ARRAY3D_DESCRIPTOR", "Height", 8}, {"CUDA_ARRAY3D_DESCRIPTOR", "Depth", 16},
		{"CUDA_ARRAY3D_DESCRIPTOR", "Format", 24}, {"CUDA_ARRAY3D_DESCRIPTOR", "NumChannels", 28}, {"CUDA_ARRAY3D_DESCRIPTOR", "Flags", 32},
		{"CUDA_RESOURCE_DESC", "resType", 0}, {"CUDA_RESOURCE_DESC", "res.array.hArray", 8},
		{"CUDA_RESOURCE_DESC", "res.mipmap.hMipmappedArray", 8},
		{"CUDA_ARRAY_DESCRIPTOR", "Width", 0}, {"CUDA_ARRAY_DESCRIPTOR", "Height", 8}, {"CUDA_ARRAY_DESCRIPTOR", "Format", 16},
		{"CUDA_ARRAY_DESCRIPTOR", "NumChannels", 20},
		{"CUDA_RESOURCE_DESC", "res.linear.devPtr", 8}, {"CUDA_RESOURCE_DESC", "res.linear.format", 16},
		{"CUDA_RESOURCE_DESC", "res.linear.numChannels", 20}, {"CUDA_RESOURCE_DESC", "res.linear.sizeInBytes", 24},
		{"CUDA_RESOURCE_DESC", "res.pitch2D.devPtr", 8}, {"CUDA_RESOURCE_DESC", "res.pitch2D.format", 16},
		{"CUDA_RESOURCE_DESC", "res.pitch2D.numChannels", 20}, {"CUDA_RESOURCE_DESC", "res.pitch2D.width", 24},
		{"CUDA_RESOURCE_DESC", "res.pitch2D.height", 32}, {"CUDA_RESOURCE_DESC", "res.pitch2D.pitchInBytes", 40},
		{"CUDA_TEXTURE_DESC", "addressMode", 0}, {"CUDA_TEXTURE_DESC", "filterMode", 12}, {"CUDA_TEXTURE_DESC", "flags", 16},
		{"CUDA_TEXTURE_DESC", "mipmapFilterMode", 24}, {"CUDA_TEXTURE_DESC", "mipmapLevelBias", 28},
		{"CUDA_TEXTURE_DESC", "minMipmapLevelClamp", 32}, {"CUDA_TEXTURE_DESC", "maxMipmapLevelClamp", 36},
		{"CUDA_TEXTURE_DESC", "borderColor", 40},
		{"CUmemPoolProps", "allocType", 0}, {"CUmemPoolProps", "location", 8},
		{"CUDA_KERNEL_NODE_PARAMS", "func", 0}, {"CUDA_KERNEL_NODE_PARAMS", "gridDimX", 8}, {"CUDA_KERNEL_NODE_PARAMS", "gridDimZ", 16},
		{"CUDA_KERNEL_NODE_PARAMS", "blockDimX", 20}, {"CUDA_KERNEL_NODE_PARAMS", "blockDimZ", 28},
		{"CUDA_KERNEL_NODE_PARAMS", "sharedMemBytes", 32}, {"CUDA_KERNEL_NODE_PARAMS", "kernelParams", 40},
		{"CUDA_KERNEL_NODE_PARAMS", "extra", 48},
		{"CUDA_MEMSET_NODE_PARAMS", "dst", 0}, {"CUDA_MEMSET_NODE_PARAMS", "pitch", 8}, {"CUDA_MEMSET_NODE_PARAMS", "value", 16},
		{"CUDA_MEMSET_NODE_PARAMS", "elementSize", 20}, {"CUDA_MEMSET_NODE_PARAMS", "width", 24}, {"CUDA_MEMSET_NODE_PARAMS", "height", 32},
		{"CUDA_HOST_NODE_PARAMS", "fn", 0}, {"CUDA_HOST_NODE_PARAMS", "userData", 8},
		{"CUmemLocation", "type", 0}, {"CUmemLocation", "id", 4},
		{"CUDA_MEMCPY3D_PEER", "srcMemoryType", 32}, {"CUDA_MEMCPY3D_PEER", "srcContext", 64}, {"CUDA_MEMCPY3D_PEER", "srcHeight", 80},
		{"CUDA_MEMCPY3D_PEER", "dstXInBytes", 88}, {"CUDA_MEMCPY3D_PEER", "dstContext", 152}, {"CUDA_MEMCPY3D_PEER", "Depth", 192},
		{"CUlaunchConfig", "gridDimX", 0}, {"CUlaunchConfig", "gridDimZ", 8}, {"CUlaunchConfig", "blockDimX", 12},
		{"CUlaunchConfig", "blockDimZ", 20}, {"CUlaunchConfig", "sharedMemBytes", 24}, {"CUlaunchConfig", "hStream", 32},
		{"CUlaunchConfig", "attrs", 40}, {"CUlaunchConfig", "numAttrs", 48},
		{"CUlaunchAttribute", "id", 0}, {"CUlaunchAttribute", "value", 8},
		{"CUlaunchAttribute", "value.clusterDim.x", 8}, {"CUlaunchAttribute", "value.clusterDim.z", 16},
	}
}
