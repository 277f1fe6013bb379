package mem

import "golang.org/x/sys/unix"

// preferHuge asks for large pages. A system that has none goes on without.
func preferHuge(b []byte) { _ = unix.Madvise(b, unix.MADV_HUGEPAGE) }
