package par

import "golang.org/x/sys/unix"

func (t *Topology) readSystem() {
	t.Model, _ = unix.Sysctl("machdep.cpu.brand_string")
	t.Cores = sysctlInt("hw.physicalcpu")
	t.Sockets = sysctlInt("hw.packages")
	line := sysctlInt("hw.cachelinesize")
	for _, c := range []struct {
		name  string
		level int
		kind  string
	}{
		{"hw.l1dcachesize", 1, "Data"},
		{"hw.l1icachesize", 1, "Instruction"},
		{"hw.l2cachesize", 2, "Unified"},
		{"hw.l3cachesize", 3, "Unified"},
	} {
		if n := sysctlInt(c.name); n > 0 {
			t.Caches = append(t.Caches, Cache{Level: c.level, Kind: c.kind, Bytes: n, LineBytes: line})
		}
	}
}

// sysctlInt returns a number of either width, or 0.
func sysctlInt(name string) int {
	if n, err := unix.SysctlUint64(name); err == nil {
		return int(n)
	}
	n, _ := unix.SysctlUint32(name)
	return int(n)
}
