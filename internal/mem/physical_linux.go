package mem

import (
	"os"

	"golang.org/x/sys/unix"
)

// physical is the memory of the machine or of the control group, whichever is less.
func physical() uint64 {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return fallbackPhysical
	}
	ram := uint64(info.Totalram) * uint64(info.Unit)
	return min(ram, cgroupLimit(os.DirFS("/")))
}
