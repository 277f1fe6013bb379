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
		{"CU_COMPUTEMODE_PROHIBITED", ComputeModeProhibited}, {"CU_DEVICE_ATTRIBUTE_COMPUTE_MODE", AttributeComputeMode},
		{"CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK", int(FuncMaxThreadsPerBlock)},
		{"CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES", int(FuncSharedSizeBytes)},
		{"CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES", int(FuncConstSizeBytes)},
		{"CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES", int(FuncLocalSizeBytes)},
		{"CU_FUNC_ATTRIBUTE_NUM_REGS", int(FuncNumRegs)},
		{"CU_FUNC_ATTRIBUTE_PTX_VERSION", int(FuncPTXVersion)},
		{"CU_FUNC_ATTRIBUTE_BINARY_VERSION", int(FuncBinaryVersion)},
		{"CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES", int(FuncMaxDynamicSharedBytes)},
		{"CU_JIT_MAX_REGISTERS", int(JITMaxRegisters)},
		{"CU_JIT_INFO_LOG_BUFFER", int(JITInfoLogBuffer)},
		{"CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES", int(JITInfoLogBufferSize)},
		{"CU_JIT_ERROR_LOG_BUFFER", int(JITErrorLogBuffer)},
		{"CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES", int(JITErrorLogBufferSize)},
		{"CU_JIT_OPTIMIZATION_LEVEL", int(JITOptimizationLevel)},
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
		{"CUdevice_attribute", 4}, {"size_t", 8}, {"float", 4},
	}
}
