//go:build !unix

package nvrtc

import "os"

// private reports whether path is a folder: where it stands, the temporary folder is the user's own.
func private(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.IsDir()
}
