package nvrtc

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// TemporaryDataDir makes and returns the data folder of users without a home: a folder in the temporary folder that only
// its owner can write, so that nobody else can put a library there.
func TemporaryDataDir() (string, error) {
	dir := temporaryDataPath()
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return "", err
	}
	if !private(dir) {
		return "", fmt.Errorf("%s belongs to somebody else, or others can write to it", dir)
	}
	return dir, nil
}

// existingTemporaryDataDir returns the folder if it is there and safe, else "".
func existingTemporaryDataDir() string {
	if dir := temporaryDataPath(); private(dir) {
		return dir
	}
	return ""
}

func temporaryDataPath() string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("tandem-data-%d", os.Getuid()))
}
