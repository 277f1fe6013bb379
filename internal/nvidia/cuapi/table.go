package cuapi

// Entry is an entry point of the driver, whatever symbol it has.
type Entry int

// The entry points, named as in the driver manual without "cu".
const (
	Init Entry = iota
	DriverGetVersion
	GetErrorName
	GetErrorString

	DeviceGetCount
	DeviceGet
	DeviceGetName
	DeviceTotalMem
	DeviceGetAttribute
	DeviceGetUuid
	DeviceGetPCIBusId
	DeviceCanAccessPeer

	DevicePrimaryCtxRetain
	DevicePrimaryCtxRelease
	CtxSetCurrent
	CtxCreate
	CtxDestroy
	CtxGetLimit
	CtxSetLimit
	CtxGetCacheConfig
	CtxSetCacheConfig
	CtxGetStreamPriorityRange
	CtxEnablePeerAccess
	CtxDisablePeerAccess
	ProfilerStart
	ProfilerStop

	MemGetInfo
	MemAlloc
	MemFree
	MemGetAddressRange
	PointerGetAttribute
	MemHostAlloc
	MemHostGetDevicePointer
	MemFreeHost
	MemcpyHtoDAsync
	MemcpyDtoHAsync
	MemcpyAsync
	MemcpyPeerAsync
	MemsetD8Async
	MemsetD16Async
	MemsetD32Async
	MemsetD2D8Async
	MemsetD2D16Async
	MemsetD2D32Async
	Memcpy3DAsync
	Memcpy3DPeerAsync

	ArrayCreate
	ArrayDestroy
	MipmappedArrayCreate
	MipmappedArrayGetLevel
	MipmappedArrayDestroy
	TexObjectCreate
	TexObjectDestroy
	SurfObjectCreate
	SurfObjectDestroy

	ModuleGetTexRef
	ModuleGetSurfRef
	TexRefSetArray
	TexRefSetAddress
	TexRefSetAddress2D
	TexRefSetFormat
	TexRefSetAddressMode
	TexRefSetFilterMode
	TexRefSetBorderColor
	TexRefSetFlags
	SurfRefSetArray

	MemPoolCreate
	MemPoolDestroy
	MemPoolGetAttribute
	MemPoolSetAttribute
	MemPoolTrimTo
	MemAllocFromPoolAsync
	MemFreeAsync
	MemAllocManaged
	MemPrefetchLocation
	MemPrefetch
	MemAdviseLocation
	MemAdvise
	StreamAttachMemAsync
	MemHostRegister
	MemHostUnregister

	GLGetDevices
	GraphicsGLRegisterBuffer
	GraphicsGLRegisterImage
	GraphicsUnregisterResource
	GraphicsMapResources
	GraphicsUnmapResources
	GraphicsMappedPointer
	GraphicsMappedArray
	ArrayGetDescriptor

	StreamCreateWithPriority
	StreamDestroy
	StreamSynchronize
	StreamQuery
	StreamWaitEvent
	LaunchHostFunc

	EventCreate
	EventDestroy
	EventRecord
	EventQuery
	EventSynchronize
	EventElapsedTime

	ModuleLoadDataEx
	ModuleUnload
	ModuleGetFunction
	ModuleGetGlobal
	ModuleGetFunctionCount
	ModuleEnumerateFunctions
	FuncLoad
	FuncGetAttribute
	FuncSetAttribute
	FuncGetParamInfo

	FuncSetCacheConfig
	OccupancyMaxActiveBlocks
	OccupancyMaxPotentialBlockSize
	OccupancyMaxActiveClusters
	OccupancyMaxPotentialClusterSize
	LinkCreate
	LinkAddData
	LinkComplete
	LinkDestroy

	LaunchKernel
	LaunchCooperativeKernel
	LaunchKernelEx

	StreamBeginCapture
	StreamEndCapture
	GraphCreate
	GraphAddKernelNode
	GraphAddMemcpyNode
	GraphAddMemsetNode
	GraphAddHostNode
	GraphAddEmptyNode
	GraphAddChildGraphNode
	GraphGetNodes
	GraphDestroy
	GraphInstantiate
	GraphLaunch
	GraphExecDestroy

	entries
)

// Symbol is one name under which drivers export an entry point.
type Symbol struct {
	// Name is the exported name.
	Name string
	// Params is the parameter list in C, without names. The result is always CUresult.
	Params string
	// Since is the first version of CUDA that has it, as CUDA_VERSION encodes it; 0 means before 11.0.
	Since int
	// Until is the first version of CUDA whose header means another function by Name; 0 if there is none. Libraries go on
	// exporting it.
	Until int
}

// Entries returns all entry points.
func Entries() []Entry {
	all := make([]Entry, entries)
	for i := range all {
		all[i] = Entry(i)
	}
	return all
}

// Table returns the symbols of an entry point in the order in which they are looked up.
func (e Entry) Table() []Symbol { return append([]Symbol(nil), table[e]...) }

// Symbols returns the names of an entry point in the order in which they are looked up.
func (e Entry) Symbols() []string {
	var names []string
	for _, s := range table[e] {
		names = append(names, s.Name)
	}
	return names
}

// String returns the name that the driver manual uses.
func (e Entry) String() string { return table[e][len(table[e])-1].Name }

const launchParams = "CUfunction, unsigned int, unsigned int, unsigned int, unsigned int, unsigned int, unsigned int, unsigned int, CUstream, void **"

// nodeParams begin the parameters of each function that adds a node.
const nodeParams = "CUgraphNode *, CUgraph, const CUgraphNode *, size_t"

// table is the ABI that this package calls.
var table = [entries][]Symbol{
	Init:             {{"cuInit", "unsigned int", 0, 0}},
	DriverGetVersion: {{"cuDriverGetVersion", "int *", 0, 0}},
	GetErrorName:     {{"cuGetErrorName", "CUresult, const char **", 0, 0}},
	GetErrorString:   {{"cuGetErrorString", "CUresult, const char **", 0, 0}},

	DeviceGetCount:      {{"cuDeviceGetCount", "int *", 0, 0}},
	DeviceGet:           {{"cuDeviceGet", "CUdevice *, int", 0, 0}},
	DeviceGetName:       {{"cuDeviceGetName", "char *, int, CUdevice", 0, 0}},
	DeviceTotalMem:      {{"cuDeviceTotalMem_v2", "size_t *, CUdevice", 0, 0}},
	DeviceGetAttribute:  {{"cuDeviceGetAttribute", "int *, CUdevice_attribute, CUdevice", 0, 0}},
	DeviceGetUuid:       {{"cuDeviceGetUuid_v2", "CUuuid *, CUdevice", 11040, 0}, {"cuDeviceGetUuid", "CUuuid *, CUdevice", 0, 0}},
	DeviceGetPCIBusId:   {{"cuDeviceGetPCIBusId", "char *, int, CUdevice", 0, 0}},
	DeviceCanAccessPeer: {{"cuDeviceCanAccessPeer", "int *, CUdevice, CUdevice", 0, 0}},

	DevicePrimaryCtxRetain:  {{"cuDevicePrimaryCtxRetain", "CUcontext *, CUdevice", 0, 0}},
	DevicePrimaryCtxRelease: {{"cuDevicePrimaryCtxRelease_v2", "CUdevice", 11000, 0}, {"cuDevicePrimaryCtxRelease", "CUdevice", 0, 0}},
	CtxSetCurrent:           {{"cuCtxSetCurrent", "CUcontext", 0, 0}},

	CtxCreate:                 {{"cuCtxCreate_v2", "CUcontext *, unsigned int, CUdevice", 0, 13000}},
	CtxDestroy:                {{"cuCtxDestroy_v2", "CUcontext", 0, 0}},
	CtxGetLimit:               {{"cuCtxGetLimit", "size_t *, CUlimit", 0, 0}},
	CtxSetLimit:               {{"cuCtxSetLimit", "CUlimit, size_t", 0, 0}},
	CtxGetCacheConfig:         {{"cuCtxGetCacheConfig", "CUfunc_cache *", 0, 0}},
	CtxSetCacheConfig:         {{"cuCtxSetCacheConfig", "CUfunc_cache", 0, 0}},
	CtxGetStreamPriorityRange: {{"cuCtxGetStreamPriorityRange", "int *, int *", 0, 0}},
	CtxEnablePeerAccess:       {{"cuCtxEnablePeerAccess", "CUcontext, unsigned int", 0, 0}},
	CtxDisablePeerAccess:      {{"cuCtxDisablePeerAccess", "CUcontext", 0, 0}},
	ProfilerStart:             {{"cuProfilerStart", "void", 0, 0}},
	ProfilerStop:              {{"cuProfilerStop", "void", 0, 0}},

	MemGetInfo:              {{"cuMemGetInfo_v2", "size_t *, size_t *", 0, 0}},
	MemAlloc:                {{"cuMemAlloc_v2", "CUdeviceptr *, size_t", 0, 0}},
	MemFree:                 {{"cuMemFree_v2", "CUdeviceptr", 0, 0}},
	MemGetAddressRange:      {{"cuMemGetAddressRange_v2", "CUdeviceptr *, size_t *, CUdeviceptr", 0, 0}},
	PointerGetAttribute:     {{"cuPointerGetAttribute", "void *, CUpointer_attribute, CUdeviceptr", 0, 0}},
	MemHostAlloc:            {{"cuMemHostAlloc", "void **, size_t, unsigned int", 0, 0}},
	MemHostGetDevicePointer: {{"cuMemHostGetDevicePointer_v2", "CUdeviceptr *, void *, unsigned int", 0, 0}},
	MemFreeHost:             {{"cuMemFreeHost", "void *", 0, 0}},
	MemcpyHtoDAsync:         {{"cuMemcpyHtoDAsync_v2", "CUdeviceptr, const void *, size_t, CUstream", 0, 0}},
	MemcpyDtoHAsync:         {{"cuMemcpyDtoHAsync_v2", "void *, CUdeviceptr, size_t, CUstream", 0, 0}},
	MemcpyAsync:             {{"cuMemcpyAsync", "CUdeviceptr, CUdeviceptr, size_t, CUstream", 0, 0}},
	MemcpyPeerAsync:         {{"cuMemcpyPeerAsync", "CUdeviceptr, CUcontext, CUdeviceptr, CUcontext, size_t, CUstream", 0, 0}},
	MemsetD8Async:           {{"cuMemsetD8Async", "CUdeviceptr, unsigned char, size_t, CUstream", 0, 0}},
	MemsetD16Async:          {{"cuMemsetD16Async", "CUdeviceptr, unsigned short, size_t, CUstream", 0, 0}},
	MemsetD32Async:          {{"cuMemsetD32Async", "CUdeviceptr, unsigned int, size_t, CUstream", 0, 0}},

	MemsetD2D8Async:   {{"cuMemsetD2D8Async", "CUdeviceptr, size_t, unsigned char, size_t, size_t, CUstream", 0, 0}},
	MemsetD2D16Async:  {{"cuMemsetD2D16Async", "CUdeviceptr, size_t, unsigned short, size_t, size_t, CUstream", 0, 0}},
	MemsetD2D32Async:  {{"cuMemsetD2D32Async", "CUdeviceptr, size_t, unsigned int, size_t, size_t, CUstream", 0, 0}},
	Memcpy3DAsync:     {{"cuMemcpy3DAsync_v2", "const CUDA_MEMCPY3D *, CUstream", 0, 0}},
	Memcpy3DPeerAsync: {{"cuMemcpy3DPeerAsync", "const CUDA_MEMCPY3D_PEER *, CUstream", 0, 0}},

	ArrayCreate:            {{"cuArray3DCreate_v2", "CUarray *, const CUDA_ARRAY3D_DESCRIPTOR *", 0, 0}},
	ArrayDestroy:           {{"cuArrayDestroy", "CUarray", 0, 0}},
	MipmappedArrayCreate:   {{"cuMipmappedArrayCreate", "CUmipmappedArray *, const CUDA_ARRAY3D_DESCRIPTOR *, unsigned int", 0, 0}},
	MipmappedArrayGetLevel: {{"cuMipmappedArrayGetLevel", "CUarray *, CUmipmappedArray, unsigned int", 0, 0}},
	MipmappedArrayDestroy:  {{"cuMipmappedArrayDestroy", "CUmipmappedArray", 0, 0}},

	TexObjectCreate:   {{"cuTexObjectCreate", "CUtexObject *, const CUDA_RESOURCE_DESC *, const CUDA_TEXTURE_DESC *, const CUDA_RESOURCE_VIEW_DESC *", 0, 0}},
	TexObjectDestroy:  {{"cuTexObjectDestroy", "CUtexObject", 0, 0}},
	SurfObjectCreate:  {{"cuSurfObjectCreate", "CUsurfObject *, const CUDA_RESOURCE_DESC *", 0, 0}},
	SurfObjectDestroy: {{"cuSurfObjectDestroy", "CUsurfObject", 0, 0}},

	ModuleGetTexRef:      {{"cuModuleGetTexRef", "CUtexref *, CUmodule, const char *", 0, 0}},
	ModuleGetSurfRef:     {{"cuModuleGetSurfRef", "CUsurfref *, CUmodule, const char *", 0, 0}},
	TexRefSetArray:       {{"cuTexRefSetArray", "CUtexref, CUarray, unsigned int", 0, 0}},
	TexRefSetAddress:     {{"cuTexRefSetAddress_v2", "size_t *, CUtexref, CUdeviceptr, size_t", 0, 0}},
	TexRefSetAddress2D:   {{"cuTexRefSetAddress2D_v3", "CUtexref, const CUDA_ARRAY_DESCRIPTOR *, CUdeviceptr, size_t", 0, 0}},
	TexRefSetFormat:      {{"cuTexRefSetFormat", "CUtexref, CUarray_format, int", 0, 0}},
	TexRefSetAddressMode: {{"cuTexRefSetAddressMode", "CUtexref, int, CUaddress_mode", 0, 0}},
	TexRefSetFilterMode:  {{"cuTexRefSetFilterMode", "CUtexref, CUfilter_mode", 0, 0}},
	TexRefSetBorderColor: {{"cuTexRefSetBorderColor", "CUtexref, float *", 0, 0}},
	TexRefSetFlags:       {{"cuTexRefSetFlags", "CUtexref, unsigned int", 0, 0}},
	SurfRefSetArray:      {{"cuSurfRefSetArray", "CUsurfref, CUarray, unsigned int", 0, 0}},

	MemPoolCreate:         {{"cuMemPoolCreate", "CUmemoryPool *, const CUmemPoolProps *", 11020, 0}},
	MemPoolDestroy:        {{"cuMemPoolDestroy", "CUmemoryPool", 11020, 0}},
	MemPoolGetAttribute:   {{"cuMemPoolGetAttribute", "CUmemoryPool, CUmemPool_attribute, void *", 11020, 0}},
	MemPoolSetAttribute:   {{"cuMemPoolSetAttribute", "CUmemoryPool, CUmemPool_attribute, void *", 11020, 0}},
	MemPoolTrimTo:         {{"cuMemPoolTrimTo", "CUmemoryPool, size_t", 11020, 0}},
	MemAllocFromPoolAsync: {{"cuMemAllocFromPoolAsync", "CUdeviceptr *, size_t, CUmemoryPool, CUstream", 11020, 0}},
	MemFreeAsync:          {{"cuMemFreeAsync", "CUdeviceptr, CUstream", 11020, 0}},
	MemAllocManaged:       {{"cuMemAllocManaged", "CUdeviceptr *, size_t, unsigned int", 0, 0}},
	MemPrefetchLocation:   {{"cuMemPrefetchAsync_v2", "CUdeviceptr, size_t, CUmemLocation, unsigned int, CUstream", 12020, 0}},
	MemPrefetch:           {{"cuMemPrefetchAsync", "CUdeviceptr, size_t, CUdevice, CUstream", 0, 13000}},
	MemAdviseLocation:     {{"cuMemAdvise_v2", "CUdeviceptr, size_t, CUmem_advise, CUmemLocation", 12020, 0}},
	MemAdvise:             {{"cuMemAdvise", "CUdeviceptr, size_t, CUmem_advise, CUdevice", 0, 13000}},
	StreamAttachMemAsync:  {{"cuStreamAttachMemAsync", "CUstream, CUdeviceptr, size_t, unsigned int", 0, 0}},
	MemHostRegister:       {{"cuMemHostRegister_v2", "void *, size_t, unsigned int", 0, 0}},
	MemHostUnregister:     {{"cuMemHostUnregister", "void *", 0, 0}},

	GLGetDevices:               {{"cuGLGetDevices_v2", "unsigned int *, CUdevice *, unsigned int, CUGLDeviceList", 0, 0}},
	GraphicsGLRegisterBuffer:   {{"cuGraphicsGLRegisterBuffer", "CUgraphicsResource *, GLuint, unsigned int", 0, 0}},
	GraphicsGLRegisterImage:    {{"cuGraphicsGLRegisterImage", "CUgraphicsResource *, GLuint, GLenum, unsigned int", 0, 0}},
	GraphicsUnregisterResource: {{"cuGraphicsUnregisterResource", "CUgraphicsResource", 0, 0}},
	GraphicsMapResources:       {{"cuGraphicsMapResources", "unsigned int, CUgraphicsResource *, CUstream", 0, 0}},
	GraphicsUnmapResources:     {{"cuGraphicsUnmapResources", "unsigned int, CUgraphicsResource *, CUstream", 0, 0}},
	GraphicsMappedPointer:      {{"cuGraphicsResourceGetMappedPointer_v2", "CUdeviceptr *, size_t *, CUgraphicsResource", 0, 0}},
	GraphicsMappedArray:        {{"cuGraphicsSubResourceGetMappedArray", "CUarray *, CUgraphicsResource, unsigned int, unsigned int", 0, 0}},
	ArrayGetDescriptor:         {{"cuArray3DGetDescriptor_v2", "CUDA_ARRAY3D_DESCRIPTOR *, CUarray", 0, 0}},

	StreamCreateWithPriority: {{"cuStreamCreateWithPriority", "CUstream *, unsigned int, int", 0, 0}},
	StreamDestroy:            {{"cuStreamDestroy_v2", "CUstream", 0, 0}},
	StreamSynchronize:        {{"cuStreamSynchronize", "CUstream", 0, 0}},
	StreamQuery:              {{"cuStreamQuery", "CUstream", 0, 0}},
	StreamWaitEvent:          {{"cuStreamWaitEvent", "CUstream, CUevent, unsigned int", 0, 0}},
	LaunchHostFunc:           {{"cuLaunchHostFunc", "CUstream, CUhostFn, void *", 0, 0}},

	EventCreate:      {{"cuEventCreate", "CUevent *, unsigned int", 0, 0}},
	EventDestroy:     {{"cuEventDestroy_v2", "CUevent", 0, 0}},
	EventRecord:      {{"cuEventRecord", "CUevent, CUstream", 0, 0}},
	EventQuery:       {{"cuEventQuery", "CUevent", 0, 0}},
	EventSynchronize: {{"cuEventSynchronize", "CUevent", 0, 0}},
	EventElapsedTime: {{"cuEventElapsedTime_v2", "float *, CUevent, CUevent", 12080, 0}, {"cuEventElapsedTime", "float *, CUevent, CUevent", 0, 0}},

	ModuleLoadDataEx:         {{"cuModuleLoadDataEx", "CUmodule *, const void *, unsigned int, CUjit_option *, void **", 0, 0}},
	ModuleUnload:             {{"cuModuleUnload", "CUmodule", 0, 0}},
	ModuleGetFunction:        {{"cuModuleGetFunction", "CUfunction *, CUmodule, const char *", 0, 0}},
	ModuleGetGlobal:          {{"cuModuleGetGlobal_v2", "CUdeviceptr *, size_t *, CUmodule, const char *", 0, 0}},
	ModuleGetFunctionCount:   {{"cuModuleGetFunctionCount", "unsigned int *, CUmodule", 12040, 0}},
	ModuleEnumerateFunctions: {{"cuModuleEnumerateFunctions", "CUfunction *, unsigned int, CUmodule", 12040, 0}},
	FuncLoad:                 {{"cuFuncLoad", "CUfunction", 12040, 0}},
	FuncGetAttribute:         {{"cuFuncGetAttribute", "int *, CUfunction_attribute, CUfunction", 0, 0}},
	FuncSetAttribute:         {{"cuFuncSetAttribute", "CUfunction, CUfunction_attribute, int", 0, 0}},
	FuncGetParamInfo:         {{"cuFuncGetParamInfo", "CUfunction, size_t, size_t *, size_t *", 12040, 0}},

	LaunchKernel:            {{"cuLaunchKernel", launchParams + ", void **", 0, 0}},
	LaunchCooperativeKernel: {{"cuLaunchCooperativeKernel", launchParams, 0, 0}},
	LaunchKernelEx:          {{"cuLaunchKernelEx", "const CUlaunchConfig *, CUfunction, void **, void **", 11080, 0}},

	FuncSetCacheConfig:               {{"cuFuncSetCacheConfig", "CUfunction, CUfunc_cache", 0, 0}},
	OccupancyMaxActiveBlocks:         {{"cuOccupancyMaxActiveBlocksPerMultiprocessor", "int *, CUfunction, int, size_t", 0, 0}},
	OccupancyMaxPotentialBlockSize:   {{"cuOccupancyMaxPotentialBlockSize", "int *, int *, CUfunction, CUoccupancyB2DSize, size_t, int", 0, 0}},
	OccupancyMaxActiveClusters:       {{"cuOccupancyMaxActiveClusters", "int *, CUfunction, const CUlaunchConfig *", 11080, 0}},
	OccupancyMaxPotentialClusterSize: {{"cuOccupancyMaxPotentialClusterSize", "int *, CUfunction, const CUlaunchConfig *", 11080, 0}},
	LinkCreate:                       {{"cuLinkCreate_v2", "unsigned int, CUjit_option *, void **, CUlinkState *", 0, 0}},
	LinkAddData:                      {{"cuLinkAddData_v2", "CUlinkState, CUjitInputType, void *, size_t, const char *, unsigned int, CUjit_option *, void **", 0, 0}},
	LinkComplete:                     {{"cuLinkComplete", "CUlinkState, void **, size_t *", 0, 0}},
	LinkDestroy:                      {{"cuLinkDestroy", "CUlinkState", 0, 0}},

	StreamBeginCapture: {{"cuStreamBeginCapture_v2", "CUstream, CUstreamCaptureMode", 0, 0}},
	StreamEndCapture:   {{"cuStreamEndCapture", "CUstream, CUgraph *", 0, 0}},
	GraphCreate:        {{"cuGraphCreate", "CUgraph *, unsigned int", 0, 0}},
	GraphAddKernelNode: {
		{"cuGraphAddKernelNode_v2", nodeParams + ", const CUDA_KERNEL_NODE_PARAMS *", 12000, 0},
		{"cuGraphAddKernelNode", nodeParams + ", const CUDA_KERNEL_NODE_PARAMS *", 0, 12000},
	},
	GraphAddMemcpyNode:     {{"cuGraphAddMemcpyNode", nodeParams + ", const CUDA_MEMCPY3D *, CUcontext", 0, 0}},
	GraphAddMemsetNode:     {{"cuGraphAddMemsetNode", nodeParams + ", const CUDA_MEMSET_NODE_PARAMS *, CUcontext", 0, 0}},
	GraphAddHostNode:       {{"cuGraphAddHostNode", nodeParams + ", const CUDA_HOST_NODE_PARAMS *", 0, 0}},
	GraphAddEmptyNode:      {{"cuGraphAddEmptyNode", nodeParams, 0, 0}},
	GraphAddChildGraphNode: {{"cuGraphAddChildGraphNode", nodeParams + ", CUgraph", 0, 0}},
	GraphGetNodes:          {{"cuGraphGetNodes", "CUgraph, CUgraphNode *, size_t *", 0, 0}},
	GraphDestroy:           {{"cuGraphDestroy", "CUgraph", 0, 0}},
	GraphInstantiate:       {{"cuGraphInstantiateWithFlags", "CUgraphExec *, CUgraph, unsigned long long", 11040, 0}},
	GraphLaunch:            {{"cuGraphLaunch", "CUgraphExec, CUstream", 0, 0}},
	GraphExecDestroy:       {{"cuGraphExecDestroy", "CUgraphExec", 0, 0}},
}
