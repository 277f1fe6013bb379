//go:build linux || darwin

package mem

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

const reserveFlags = unix.MAP_PRIVATE | unix.MAP_ANON | unix.MAP_NORESERVE

// sysReserve takes addresses without memory behind them.
func sysReserve(n uint64) (uint64, error) {
	p, err := unix.MmapPtr(-1, 0, nil, uintptr(n), unix.PROT_NONE, reserveFlags)
	return uint64(uintptr(p)), err
}

// sysRelease undoes sysReserve.
func sysRelease(addr, n uint64) error { return unix.MunmapPtr(pointer(addr), uintptr(n)) }

// sysCommit makes reserved addresses readable and writable.
func sysCommit(addr, n uint64) error {
	b := unsafe.Slice((*byte)(pointer(addr)), n)
	if err := unix.Mprotect(b, unix.PROT_READ|unix.PROT_WRITE); err != nil {
		return err
	}
	if n >= hugeFrom {
		preferHuge(b)
	}
	return nil
}

// hugeFrom is from how many bytes on large pages are asked for. Kernels go through memory in streams and in gathers, and
// with pages of 4 KiB spend much of their time on looking up translations, twice in a virtual machine; for a few bytes it
// would be a waste to fill a large page with zeroes.
const hugeFrom = 4 << 20

// sysDecommit undoes sysCommit. A new mapping over the old one gives back pages and what the system accounted for them,
// on every Unix alike.
func sysDecommit(addr, n uint64) error {
	_, err := unix.MmapPtr(-1, 0, pointer(addr), uintptr(n), unix.PROT_NONE, reserveFlags|unix.MAP_FIXED)
	return err
}
