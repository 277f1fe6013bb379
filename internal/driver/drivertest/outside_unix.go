//go:build unix

package drivertest

import (
	"syscall"
)

// outsideHeap returns memory that Go's collector does not know, until the end of the check.
func outsideHeap(t *T, n int) []byte {
	t.Helper()
	b, err := syscall.Mmap(-1, 0, n, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	t.ok(err)
	t.Cleanup(func() { t.check(syscall.Munmap(b)) })
	return b
}
