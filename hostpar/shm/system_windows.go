package shm

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

func namedFolder() string { return os.TempDir() }

const (
	namedPrefix = "tandem-shm-"
	noFollow    = 0
)

// createFile makes a file that goes with the last who has it open. The system keeps it in memory while it can.
func createFile(size int) (*os.File, error) {
	named, err := os.CreateTemp("", "tandem-shm-*")
	if err != nil {
		return nil, err
	}
	path := named.Name()
	if err := named.Close(); err != nil {
		return nil, err
	}
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	h, err := windows.CreateFile(name, windows.GENERIC_READ|windows.GENERIC_WRITE|windows.DELETE,
		windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE, nil, windows.OPEN_EXISTING,
		windows.FILE_ATTRIBUTE_TEMPORARY|windows.FILE_FLAG_DELETE_ON_CLOSE, 0)
	if err != nil {
		return nil, errors.Join(os.NewSyscallError("CreateFile", err), os.Remove(path))
	}
	f := os.NewFile(uintptr(h), path)
	if err := f.Truncate(int64(size)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func keyOf(f *os.File) (key fileKey, err error) {
	var info windows.ByHandleFileInformation
	if err := windows.GetFileInformationByHandle(windows.Handle(f.Fd()), &info); err != nil {
		return key, os.NewSyscallError("GetFileInformationByHandle", err)
	}
	return fileKey{uint64(info.VolumeSerialNumber), uint64(info.FileIndexHigh)<<32 | uint64(info.FileIndexLow)}, nil
}
