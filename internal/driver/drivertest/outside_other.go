//go:build !unix

package drivertest

import "runtime"

// outsideHeap returns memory that stays in place until the end of the check.
func outsideHeap(t *T, n int) []byte {
	var p runtime.Pinner
	b := make([]byte, n)
	p.Pin(&b[0])
	t.Cleanup(p.Unpin)
	return b
}
