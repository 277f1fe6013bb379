package hostdev

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// cpuName is the processor's model name.
func cpuName() string {
	if name, err := unix.Sysctl("machdep.cpu.brand_string"); err == nil && name != "" {
		return name
	}
	return runtime.GOARCH + " CPU"
}
