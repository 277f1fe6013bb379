package shm

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

const namedFolder = "/dev/shm"

// createFile makes a file in memory that has no name.
func createFile(size int) (*os.File, error) {
	fd, err := unix.MemfdCreate("tandem-shm", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	f := os.NewFile(uintptr(fd), "shm")
	if err := f.Truncate(int64(size)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func namedPath(name string) (string, error) {
	if name == "" || strings.ContainsAny(name, "/\x00") || strings.HasPrefix(name, ".") {
		return "", fmt.Errorf("not a name: %q", name)
	}
	return filepath.Join(namedFolder, name), nil
}

// openNamed opens or makes a file of a size. Its size is set before anybody can find it empty.
func openNamed(name string, size int) (*os.File, error) {
	path, err := namedPath(name)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case info.Size() == 0:
		err = f.Truncate(int64(size)) // all who come at the same time do the same
	case info.Size() != int64(size):
		err = fmt.Errorf("it has %d bytes, not %d", info.Size(), size)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Remove removes the name of a segment. Processes that have it keep it.
func Remove(name string) error {
	path, err := namedPath(name)
	if err == nil {
		err = os.Remove(path)
	}
	if err != nil {
		return fmt.Errorf("shm: remove segment: %w", err)
	}
	return nil
}

func keyOf(f *os.File) (key fileKey, err error) {
	var st unix.Stat_t
	if err = control(f, func(fd int) error { return unix.Fstat(fd, &st) }); err != nil {
		return key, err
	}
	return fileKey{st.Dev, st.Ino}, nil
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
