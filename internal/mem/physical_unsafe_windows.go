package mem

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// memoryStatus is MEMORYSTATUSEX (Windows, sysinfoapi.h).
type memoryStatus struct {
	length, load                                   uint32
	totalPhysical, availablePhysical               uint64
	totalPage, availablePage                       uint64
	totalVirtual, availableVirtual, availableExtra uint64
}

// physical is the memory of the machine.
func physical() uint64 {
	status := memoryStatus{length: uint32(unsafe.Sizeof(memoryStatus{}))}
	proc := windows.NewLazySystemDLL("kernel32.dll").NewProc("GlobalMemoryStatusEx")
	if ok, _, _ := proc.Call(uintptr(unsafe.Pointer(&status))); ok == 0 {
		return fallbackPhysical
	}
	return status.totalPhysical
}
