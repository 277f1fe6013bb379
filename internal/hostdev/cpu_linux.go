package hostdev

import (
	"bufio"
	"os"
	"runtime"
	"strings"
)

// cpuName is the processor's model name.
func cpuName() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH + " CPU"
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		key, value, _ := strings.Cut(lines.Text(), ":")
		switch strings.TrimSpace(key) {
		case "model name", "Model", "cpu model", "uarch":
			if name := strings.TrimSpace(value); name != "" {
				return name
			}
		}
	}
	return runtime.GOARCH + " CPU"
}
