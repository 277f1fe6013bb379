package mem

import "golang.org/x/sys/unix"

// physical is the memory of the machine.
func physical() uint64 {
	if n, err := unix.SysctlUint64("hw.memsize"); err == nil {
		return n
	}
	return fallbackPhysical
}
