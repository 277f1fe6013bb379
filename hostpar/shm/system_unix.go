//go:build unix && (!linux || tandem_portable)

package shm

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// namedFolder is where named segments are, as files that all who may open them map.
func namedFolder() string { return os.TempDir() }

const (
	namedPrefix = "tandem-shm-"
	noFollow    = unix.O_NOFOLLOW
)

// createFile makes a file that has no name as soon as it is there.
func createFile(size int) (*os.File, error) {
	f, err := os.CreateTemp("", "tandem-shm-*")
	if err != nil {
		return nil, err
	}
	if err := errors.Join(os.Remove(f.Name()), f.Truncate(int64(size))); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
