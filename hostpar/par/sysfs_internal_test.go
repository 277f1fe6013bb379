package par

import (
	"fmt"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// A machine of two sockets with two cores of two threads each; processor 7 is offline.
func machine() fstest.MapFS {
	tree := fstest.MapFS{
		"cpu/online":          {Data: []byte("0-6\n")},
		"node/online":         {Data: []byte("0-1\n")},
		"node/node0/cpulist":  {Data: []byte("0-1,4-5\n")},
		"node/node0/meminfo":  {Data: []byte("Node 0 MemTotal:       16384 kB\nNode 0 MemFree: 1 kB\n")},
		"node/node1/cpulist":  {Data: []byte("2-3,6-7\n")},
		"node/node1/meminfo":  {Data: []byte("Node 1 MemTotal:       32768 kB\n")},
		"node/node2/whatever": {Data: []byte("")},
	}
	for cpu := range 7 {
		dir := fmt.Sprintf("cpu/cpu%d/", cpu)
		tree[dir+"topology/physical_package_id"] = &fstest.MapFile{Data: []byte(fmt.Sprintln(cpu % 4 / 2))}
		tree[dir+"topology/core_id"] = &fstest.MapFile{Data: []byte(fmt.Sprintln(cpu % 2))}
		for i, c := range []struct{ level, kind, size, shared string }{
			{"1", "Data", "48K", "0,4"}, {"1", "Instruction", "32K", "0,4"}, {"3", "Unified", "260M", "0-3,4-6"}, {"2", "Unified", "2048K", "0,4"},
		} {
			index := fmt.Sprintf("%scache/index%d/", dir, i)
			tree[index+"level"] = &fstest.MapFile{Data: []byte(c.level + "\n")}
			tree[index+"type"] = &fstest.MapFile{Data: []byte(c.kind + "\n")}
			tree[index+"size"] = &fstest.MapFile{Data: []byte(c.size + "\n")}
			tree[index+"shared_cpu_list"] = &fstest.MapFile{Data: []byte(c.shared + "\n")}
			tree[index+"coherency_line_size"] = &fstest.MapFile{Data: []byte("64\n")}
		}
	}
	return tree
}

func TestReadSysfs(t *testing.T) {
	var all Topology
	all.readSysfs(machine(), allCPUs)
	require.Equal(t, Topology{
		Logical: 7, Cores: 4, Sockets: 2,
		Caches: []Cache{
			{1, "Data", 48 << 10, 64, 2}, {1, "Instruction", 32 << 10, 64, 2},
			{2, "Unified", 2 << 20, 64, 2}, {3, "Unified", 260 << 20, 64, 7},
		},
		Nodes: []Node{{0, []int{0, 1, 4, 5}, 16 << 20}, {1, []int{2, 3, 6}, 32 << 20}},
	}, all)

	var some Topology // bound to one core of the second socket
	some.readSysfs(machine(), func(cpu int) bool { return cpu == 2 || cpu == 6 })
	require.Equal(t, 2, some.Logical)
	require.Equal(t, 1, some.Cores)
	require.Equal(t, 1, some.Sockets)
	require.Equal(t, []int{2, 6}, some.Nodes[1].CPUs)
	require.Empty(t, some.Nodes[0].CPUs)

	var none Topology
	none.readSysfs(fstest.MapFS{}, allCPUs)
	none.readSysfs(machine(), func(int) bool { return false })
	require.Zero(t, none)
}

func TestCPUList(t *testing.T) {
	got, err := cpuList("0-3,8,10-11")
	require.NoError(t, err)
	require.Equal(t, []int{0, 1, 2, 3, 8, 10, 11}, got)
	for _, bad := range []string{"", "a", "1-", "-1", "3-2", "1,,2", "0-999999999", "1-b"} {
		_, err := cpuList(bad)
		require.Error(t, err, bad)
	}
}

func TestSizesAndModel(t *testing.T) {
	require.Equal(t, 1<<30, byteSize("1G"))
	require.Equal(t, 12, byteSize("12"))
	require.Zero(t, byteSize("many"))
	require.Equal(t, "Fast 9000: X", cpuModel("processor\t: 0\nmodel name\t: Fast 9000: X\nmodel name\t: other\n"))
	require.Empty(t, cpuModel("processor: 0\n"))
}

func TestReadTopology(t *testing.T) {
	top := ReadTopology()
	require.Positive(t, top.Usable)
	require.Positive(t, top.Logical)
	require.NotEmpty(t, top.Nodes)
	n := 0
	for _, node := range top.Nodes {
		n += len(node.CPUs)
	}
	require.Equal(t, top.Logical, n, "each processor lies in one node")
	require.GreaterOrEqual(t, top.Logical, top.Cores)
	require.GreaterOrEqual(t, top.Cores, top.Sockets)
}
