//go:build unix

package nvrtc

import (
	"os"
	"syscall"
)

// private reports whether path is a real folder of this user that nobody else can write to.
func private(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() || info.Mode().Perm()&0o022 != 0 {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Geteuid()
}
