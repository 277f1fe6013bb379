package hostdev

import (
	"runtime"
	"strings"

	"golang.org/x/sys/windows/registry"
)

// cpuName is the processor's model name.
func cpuName() string {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, `HARDWARE\DESCRIPTION\System\CentralProcessor\0`, registry.QUERY_VALUE)
	if err != nil {
		return runtime.GOARCH + " CPU"
	}
	defer k.Close()
	name, _, err := k.GetStringValue("ProcessorNameString")
	if name = strings.TrimSpace(name); err != nil || name == "" {
		return runtime.GOARCH + " CPU"
	}
	return name
}
