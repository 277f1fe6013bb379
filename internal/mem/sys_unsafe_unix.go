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
	return unix.Mprotect(unsafe.Slice((*byte)(pointer(addr)), n), unix.PROT_READ|unix.PROT_WRITE)
}

// sysDecommit undoes sysCommit. A new mapping over the old one gives back pages and what the system accounted for them,
// on every Unix alike.
func sysDecommit(addr, n uint64) error {
	_, err := unix.MmapPtr(-1, 0, pointer(addr), uintptr(n), unix.PROT_NONE, reserveFlags|unix.MAP_FIXED)
	return err
}
