package driver

// Peer is what a Device has besides if devices of its kind reach each other's memory (Caps.Peers). other and from are open
// devices of the same back end, InvalidDevice if not; a sticky fault of either is returned.
type Peer interface {
	// CanAccess reports whether EnableAccess can succeed.
	CanAccess(other Device) (bool, error)
	// EnableAccess lets kernels and copies of this device use addresses of other's memory, until DisableAccess or the end
	// of either. Once is enough. NotSupported where CanAccess is false.
	EnableAccess(other Device) error
	// DisableAccess ends it; nothing happens if there was none.
	DisableAccess(other Device) error
	// CopyPeer queues a copy of n bytes from memory of another device to memory of this one, on a stream of this one, with
	// or without EnableAccess. It cannot be captured.
	CopyPeer(dst Ptr, from Device, src Ptr, n uint64, s Stream) error
	// CopyRegionPeer is CopyRegion from memory or an array of another device.
	CopyRegionPeer(r *Region, from Device, s Stream) error
	// WaitPeer is WaitEvent for an event of another device. Neither may be captured.
	WaitPeer(s Stream, from Device, e Event) error
}
