package par

import (
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// This file reads the layout of Linux's /sys/devices/system from any file system, so that it can be tested everywhere.
// Source: Documentation/ABI/testing/sysfs-devices-system-cpu and Documentation/ABI/stable/sysfs-devices-node.

func allCPUs(int) bool { return true }

// readSysfs fills cores, sockets, caches and nodes from the tree, counting the processors that allowed admits.
func (t *Topology) readSysfs(tree fs.FS, allowed func(cpu int) bool) {
	online, err := cpuList(readLine(tree, "cpu/online"))
	if err != nil {
		return
	}
	online = slices.DeleteFunc(online, func(cpu int) bool { return !allowed(cpu) })
	if len(online) == 0 {
		return
	}
	type core struct{ socket, id string }
	cores, sockets := map[core]bool{}, map[string]bool{}
	for _, cpu := range online {
		dir := fmt.Sprintf("cpu/cpu%d/topology/", cpu)
		socket, id := readLine(tree, dir+"physical_package_id"), readLine(tree, dir+"core_id")
		if socket == "" || id == "" {
			continue
		}
		cores[core{socket, id}] = true
		sockets[socket] = true
	}
	t.Logical, t.Cores, t.Sockets = len(online), len(cores), len(sockets)
	t.Caches = readCaches(tree, online[0])
	t.Nodes = readNodes(tree, online)
}

func readCaches(tree fs.FS, cpu int) (caches []Cache) {
	for i := 0; ; i++ {
		dir := fmt.Sprintf("cpu/cpu%d/cache/index%d/", cpu, i)
		level, err := strconv.Atoi(readLine(tree, dir+"level"))
		if err != nil {
			break
		}
		shared, _ := cpuList(readLine(tree, dir+"shared_cpu_list"))
		line, _ := strconv.Atoi(readLine(tree, dir+"coherency_line_size"))
		caches = append(caches, Cache{
			Level:     level,
			Kind:      readLine(tree, dir+"type"),
			Bytes:     byteSize(readLine(tree, dir+"size")),
			LineBytes: line,
			SharedBy:  len(shared),
		})
	}
	slices.SortStableFunc(caches, func(a, b Cache) int { return a.Level - b.Level })
	return caches
}

func readNodes(tree fs.FS, online []int) (nodes []Node) {
	ids, err := cpuList(readLine(tree, "node/online"))
	if err != nil {
		return nil
	}
	for _, id := range ids {
		dir := fmt.Sprintf("node/node%d/", id)
		cpus, err := cpuList(readLine(tree, dir+"cpulist"))
		if err != nil {
			continue
		}
		cpus = slices.DeleteFunc(cpus, func(cpu int) bool { return !slices.Contains(online, cpu) })
		nodes = append(nodes, Node{ID: id, CPUs: cpus, Bytes: memTotal(tree, dir+"meminfo")})
	}
	return nodes
}

// memTotal reads the line "Node 0 MemTotal:  16384 kB".
func memTotal(tree fs.FS, name string) int64 {
	b, err := fs.ReadFile(tree, name)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) >= 4 && f[2] == "MemTotal:" {
			n, _ := strconv.ParseInt(f[3], 10, 64)
			return n << 10
		}
	}
	return 0
}

// readLine returns the first line of a file, or "".
func readLine(tree fs.FS, name string) string {
	b, err := fs.ReadFile(tree, name)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(b), "\n")
	return strings.TrimSpace(line)
}

// cpuList parses lists such as "0-3,8,10-11". An empty list is an error: no file, or nothing in it.
func cpuList(s string) (cpus []int, err error) {
	const most = 1 << 16 // more processors than Linux can have: a damaged file must not cost memory
	for part := range strings.SplitSeq(s, ",") {
		from, to, ranged := strings.Cut(part, "-")
		lo, err := strconv.Atoi(from)
		if err != nil {
			return nil, fmt.Errorf("processor list %q: %w", s, err)
		}
		hi := lo
		if ranged {
			if hi, err = strconv.Atoi(to); err != nil {
				return nil, fmt.Errorf("processor list %q: %w", s, err)
			}
		}
		if lo < 0 || hi < lo || hi >= most {
			return nil, fmt.Errorf("processor list %q: bad range %q", s, part)
		}
		for cpu := lo; cpu <= hi; cpu++ {
			cpus = append(cpus, cpu)
		}
	}
	return cpus, nil
}

// byteSize parses sizes such as "48K" and "32M"; what cannot be read is 0.
func byteSize(s string) int {
	shift := 0
	switch {
	case strings.HasSuffix(s, "K"):
		shift = 10
	case strings.HasSuffix(s, "M"):
		shift = 20
	case strings.HasSuffix(s, "G"):
		shift = 30
	}
	n, err := strconv.Atoi(strings.TrimRight(s, "KMG"))
	if err != nil {
		return 0
	}
	return n << shift
}

// cpuModel finds the name in the text of /proc/cpuinfo.
func cpuModel(text string) string {
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
