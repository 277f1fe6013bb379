package driver

// Limit is a resource of a context that can be bounded, by CUDA's number (CUlimit).
type Limit int

// The limits, in bytes or in numbers.
const (
	StackBytes      Limit = 0 // of each thread
	PrintfBytes     Limit = 1 // of the text that printf keeps
	HeapBytes       Limit = 2 // of malloc in kernels
	SyncDepth       Limit = 3
	PendingLaunches Limit = 4
)

// CacheConfig says how on-chip memory is divided between cache and shared memory, by CUDA's number (CUfunc_cache).
type CacheConfig int

// The divisions.
const (
	CacheNone   CacheConfig = 0 // no preference
	CacheShared CacheConfig = 1
	CacheL1     CacheConfig = 2
	CacheEqual  CacheConfig = 3
)

// FunctionAttribute is a property of a kernel that can be set, by CUDA's number (CUfunction_attribute).
type FunctionAttribute int

// The properties.
const (
	// DynamicSharedBytes allows that much dynamic shared memory; Launch does so by itself.
	DynamicSharedBytes FunctionAttribute = 8
	// SharedCarveout is the part of on-chip memory for shared memory in percent, -1 for the driver's choice.
	SharedCarveout FunctionAttribute = 9
)

// LinkInput is one piece of code for Link: PTX, and on a GPU also a cubin, a fatbin, an object or a library.
type LinkInput struct {
	// Name is for messages.
	Name string
	Data []byte
}

// ContextOptions says how OpenContext makes a context.
type ContextOptions struct{ _ struct{} }

// ContextOpener is a Backend that opens contexts besides the primary one.
type ContextOpener interface {
	// OpenContext opens a device with a context of its own: memory, modules and faults are not shared with Open's.
	OpenContext(ordinal int, o ContextOptions) (Device, error)
}

// Control is the part of a Device that deals with limits and preferences.
type Control interface {
	// Limit returns a limit; InvalidValue, or UnsupportedLimit, if the device has none of that number.
	Limit(l Limit) (uint64, error)
	// SetLimit asks for a limit, which the device may round or clamp.
	SetLimit(l Limit, v uint64) error
	// CacheConfig returns the preference of the context, SetCacheConfig sets it. Devices without a choice keep CacheNone.
	CacheConfig() (CacheConfig, error)
	SetCacheConfig(c CacheConfig) error
	// PriorityRange returns the numbers of the lowest and the highest priority of streams; both 0 if there is one only.
	PriorityRange() (least, greatest int, err error)
	// StartProfiler and StopProfiler bound what a profiler that is attached to the process collects.
	StartProfiler() error
	StopProfiler() error
}

// Code is the part of a Device that deals with kernels beyond loading and launching them.
type Code interface {
	// Link makes one image of several pieces, for LoadModule. Symbols that one piece declares and another defines are
	// connected: InvalidPTX or InvalidImage if none or two do; log says which. InvalidValue without input.
	Link(inputs []LinkInput, o ModuleOptions) (image []byte, log string, err error)
	// SetFunctionAttribute sets a property of a kernel; InvalidValue if there is none of that number, or v is out of range.
	SetFunctionAttribute(f Function, a FunctionAttribute, v int) error
	// SetFunctionCache sets the preference of a kernel.
	SetFunctionCache(f Function, c CacheConfig) error
	// Occupancy returns how many blocks of that many threads with that much dynamic shared memory are resident on one
	// multiprocessor; 0 if a block does not fit.
	Occupancy(f Function, threads int, sharedBytes uint64) (int, error)
	// SuggestBlock returns the number of threads of a block, at most limit (0: no limit), that gives the best occupancy, and
	// the least number of blocks that fills the device. Each block has that much dynamic shared memory.
	SuggestBlock(f Function, sharedBytes uint64, limit int) (blocks, threads int, err error)
	// Clusters returns how many clusters of a launch are resident on the device at once, 0 if none fits, and the largest number
	// of blocks that a cluster of the kernel may have. Grid, Block, SharedBytes and Cluster count; a zero Cluster stands for
	// one of one block. NotSupported unless Caps.Clusters.
	Clusters(l *Launch) (resident, largest int, err error)
}
