package par

import (
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

func (t *Topology) readSystem() {
	allowed := allCPUs
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err == nil {
		allowed = func(cpu int) bool { return set.IsSet(cpu) }
	}
	t.readSysfs(os.DirFS("/sys/devices/system"), allowed)
	if f, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		t.Model = cpuModel(string(f))
	}
	slices.SortFunc(t.Nodes, func(a, b Node) int { return a.ID - b.ID })
}
