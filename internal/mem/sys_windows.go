package mem

import "golang.org/x/sys/windows"

// sysReserve takes addresses without memory behind them.
func sysReserve(n uint64) (uint64, error) {
	p, err := windows.VirtualAlloc(0, uintptr(n), windows.MEM_RESERVE, windows.PAGE_NOACCESS)
	return uint64(p), err
}

// sysRelease undoes sysReserve.
func sysRelease(addr, _ uint64) error {
	return windows.VirtualFree(uintptr(addr), 0, windows.MEM_RELEASE)
}

// sysCommit makes reserved addresses readable and writable.
func sysCommit(addr, n uint64) error {
	_, err := windows.VirtualAlloc(uintptr(addr), uintptr(n), windows.MEM_COMMIT, windows.PAGE_READWRITE)
	return err
}

// sysDecommit undoes sysCommit.
func sysDecommit(addr, n uint64) error {
	return windows.VirtualFree(uintptr(addr), uintptr(n), windows.MEM_DECOMMIT)
}
