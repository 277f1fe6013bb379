package shm

import (
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

// mapMemory maps the whole file. The view keeps the mapping, whose handle is not needed any more.
func mapMemory(f *os.File) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	size := uint64(info.Size())
	m, err := windows.CreateFileMapping(windows.Handle(f.Fd()), nil, windows.PAGE_READWRITE, uint32(size>>32), uint32(size), nil)
	if err != nil {
		return nil, os.NewSyscallError("CreateFileMapping", err)
	}
	defer func() { _ = windows.CloseHandle(m) }() // it is open
	view, err := windows.MapViewOfFile(m, windows.FILE_MAP_READ|windows.FILE_MAP_WRITE, 0, 0, uintptr(size))
	if err != nil {
		return nil, os.NewSyscallError("MapViewOfFile", err)
	}
	// The address is the system's; the detour tells vet that it is no Go pointer.
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&view)), int(size)), nil
}

func unmapMemory(mem []byte) {
	_ = windows.UnmapViewOfFile(uintptr(unsafe.Pointer(unsafe.SliceData(mem)))) // it was mapped
}
