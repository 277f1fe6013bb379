//go:build !unix && !windows

package shm

import "os"

const (
	namedPrefix = ""
	noFollow    = 0
)

func namedFolder() string { return os.TempDir() }

func createFile(int) (*os.File, error) { return nil, ErrNotSupported }

func keyOf(*os.File) (fileKey, error) { return fileKey{}, ErrNotSupported }

func mapMemory(*os.File) ([]byte, error) { return nil, ErrNotSupported }

func unmapMemory([]byte) {}
