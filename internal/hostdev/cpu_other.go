//go:build !linux && !darwin && !windows

package hostdev

import "runtime"

// cpuName is the processor's architecture: the system does not tell more.
func cpuName() string { return runtime.GOARCH + " CPU" }
