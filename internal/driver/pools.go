package driver

// Pool is memory that is handed out and taken back in the order of streams. Zero is no pool.
type Pool uint64

// PoolOptions says what a pool is.
type PoolOptions struct {
	// MaxBytes bounds what may be in use; 0 is no bound.
	MaxBytes uint64
	// KeepBytes is how much freed memory stays with the pool when streams are waited for; the host device keeps none.
	KeepBytes uint64
}

// PoolInfo is what a pool holds, in bytes.
type PoolInfo struct {
	// Used is in the hands of callers, Reserved also what is kept for them; the Peaks are the most since ResetPoolPeaks.
	Used, Reserved, UsedPeak, ReservedPeak uint64
}

// Advice says how managed memory will be used, by CUDA's number (CUmem_advise).
type Advice int

// The kinds of advice.
const (
	ReadMostly        Advice = 1
	NotReadMostly     Advice = 2
	PreferredLocation Advice = 3
	NoPreference      Advice = 4
	AccessedBy        Advice = 5
	NotAccessedBy     Advice = 6
)

// Attachment says which streams may use managed memory, by CUDA's number (CUmemAttach_flags).
type Attachment int

// The attachments.
const (
	AttachGlobal Attachment = 1
	AttachHost   Attachment = 2
	AttachStream Attachment = 4
)

// Pools is the part of a Device that deals with memory in the order of streams.
type Pools interface {
	// NewPool makes a pool. NotSupported unless Caps.MemoryPools.
	NewPool(o PoolOptions) (Pool, error)
	// DestroyPool releases the handle; the memory that is in use lives on.
	DestroyPool(p Pool) error
	// PoolInfo returns the figures of a pool.
	PoolInfo(p Pool) (PoolInfo, error)
	// ResetPoolPeaks makes the peaks what is there now.
	ResetPoolPeaks(p Pool) error
	// TrimPool gives back freed memory until no more than keep bytes are reserved.
	TrimPool(p Pool, keep uint64) error
	// AllocAsync returns n > 0 bytes, aligned to 256, that work queued later on s, or behind an event of it, may use.
	// OutOfMemory also if the pool's bound would be exceeded.
	AllocAsync(n uint64, p Pool, s Stream) (Ptr, error)
	// FreeAsync frees memory of AllocAsync behind the work queued on s. Free does as well, and waits for all streams.
	FreeAsync(p Ptr, s Stream) error
}

// Managed is the part of a Device that deals with memory of both worlds.
type Managed interface {
	// AllocManaged returns n > 0 bytes that host and device access at one address, contents undefined. Free frees them, and
	// the bytes must not be used then. On a GPU without concurrent access the host must not touch them while work is
	// queued.
	AllocManaged(n uint64) (Ptr, []byte, error)
	// Prefetch queues moving n bytes of managed memory to the host or to this device.
	Prefetch(p Ptr, n uint64, toHost bool, s Stream) error
	// Advise says how n bytes of managed memory will be used, by the host or by this device.
	Advise(p Ptr, n uint64, a Advice, host bool) error
	// Attach restricts who uses managed memory that begins at p.
	Attach(p Ptr, a Attachment, s Stream) error
	// RegisterHost makes memory of the caller's, b, page-locked and visible to the device at the returned address, until
	// UnregisterHost. The caller keeps it in place: it is outside Go's heap, or pinned. One byte belongs to one
	// registration only (InvalidValue).
	RegisterHost(b []byte) (Ptr, error)
	// UnregisterHost ends a registration. The caller vouches that no queued work uses the memory.
	UnregisterHost(p Ptr) error
}
