package shm

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func namedPath(name string) (string, error) {
	if name == "" || strings.ContainsAny(name, "/\\:\x00") || strings.HasPrefix(name, ".") {
		return "", fmt.Errorf("not a name: %q", name)
	}
	return filepath.Join(namedFolder(), namedPrefix+name), nil
}

// openNamed opens or makes a file of a size. Its size is set before anybody can find it empty.
func openNamed(name string, size int) (*os.File, error) {
	path, err := namedPath(name)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|noFollow, 0o600)
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
