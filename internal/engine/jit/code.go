//go:build linux && (amd64 || arm64)

package jit

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem/internal/mem"
)

// code is executable memory. It is given back when nothing refers to it any more.
type code struct {
	text []byte
	base uint64
}

// install copies machine code to memory that is executable, and no longer writable.
func install(text []byte) (*code, error) {
	m, err := unix.Mmap(-1, 0, len(text), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE|unix.MAP_POPULATE)
	if err != nil {
		return nil, fmt.Errorf("map %d bytes for code: %w", len(text), err)
	}
	copy(m, text)
	if err := unix.Mprotect(m, unix.PROT_READ|unix.PROT_EXEC); err != nil {
		return nil, fmt.Errorf("make %d bytes of code executable: %w", len(text), errors.Join(err, unix.Munmap(m)))
	}
	c := &code{text: m[:len(text)], base: mem.AddressOf(m)}
	synchronise(c.base, uint64(len(text)))
	runtime.AddCleanup(c, func(m []byte) { _ = unix.Munmap(m) }, m)
	return c, nil
}
