package mem

import (
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
)

// fallbackPhysical is what the machine is taken to have where it does not tell.
const fallbackPhysical = 4 << 30

// cgroupLimit is the memory limit of the control group of this process and of the groups around it, in bytes, as the
// files under root tell; the largest number if there is none. Both versions are read (Linux, admin-guide/cgroup-v2 and
// cgroup-v1/memory).
func cgroupLimit(root fs.FS) uint64 {
	limit := uint64(math.MaxUint64)
	text, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return limit
	}
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		// hierarchy:controllers:path
		fields := strings.SplitN(line, ":", 3)
		if len(fields) != 3 {
			continue
		}
		switch {
		case fields[1] == "":
			limit = min(limit, limitAbove(root, "sys/fs/cgroup", fields[2], "memory.max"))
		case hasController(fields[1], "memory"):
			limit = min(limit, limitAbove(root, "sys/fs/cgroup/memory", fields[2], "memory.limit_in_bytes"))
		}
	}
	return limit
}

func hasController(list, name string) bool {
	for _, c := range strings.Split(list, ",") {
		if c == name {
			return true
		}
	}
	return false
}

// limitAbove is the least limit from the group up to the root of the hierarchy. In a container the group's path may not
// exist below the mount; the mount itself then is the group.
func limitAbove(root fs.FS, mount, group, file string) uint64 {
	limit := uint64(math.MaxUint64)
	for dir := path.Clean("/" + group); ; dir = path.Dir(dir) {
		if text, err := fs.ReadFile(root, path.Join(mount, dir, file)); err == nil {
			if n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64); err == nil && n > 0 {
				limit = min(limit, n)
			}
		}
		if dir == "/" {
			return limit
		}
	}
}
