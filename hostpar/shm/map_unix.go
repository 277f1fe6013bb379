//go:build unix

package shm

import (
	"os"

	"golang.org/x/sys/unix"
)

func keyOf(f *os.File) (key fileKey, err error) {
	var st unix.Stat_t
	if err = control(f, func(fd int) error { return unix.Fstat(fd, &st) }); err != nil {
		return key, err
	}
	return fileKey{uint64(st.Dev), uint64(st.Ino)}, nil //nolint:unconvert // their types differ from system to system
}

func mapMemory(f *os.File) (mem []byte, err error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	err = control(f, func(fd int) error {
		mem, err = unix.Mmap(fd, 0, int(info.Size()), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		return os.NewSyscallError("mmap", err)
	})
	return mem, err
}

func unmapMemory(mem []byte) { _ = unix.Munmap(mem) } // it was mapped

func control(f *os.File, fn func(fd int) error) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = fn(int(fd)) }); err != nil {
		return err
	}
	return inner
}
