package par

import "runtime"

// Topology describes the processors this process may use. What the system does not tell is zero or empty.
type Topology struct {
	// Usable is how many goroutines can run at once: runtime.GOMAXPROCS(0), which heeds affinity and cgroup limits.
	Usable int
	// Logical is the number of logical processors (hardware threads) the process may be scheduled on.
	Logical int
	// Cores is the number of physical cores of those; Sockets the number of packages.
	Cores, Sockets int
	// Model is the processor's name.
	Model string
	// Caches are those of the first usable processor, smallest level first.
	Caches []Cache
	// Nodes are the NUMA nodes; one node with all processors where the system knows of none.
	Nodes []Node
}

// Cache is one level of cache.
type Cache struct {
	// Level is 1, 2, 3 or 4.
	Level int
	// Kind is "Data", "Instruction" or "Unified".
	Kind string
	// Bytes is the size of one, LineBytes of its lines.
	Bytes, LineBytes int
	// SharedBy is how many logical processors share one.
	SharedBy int
}

// Node is a NUMA node.
type Node struct {
	// ID is the system's number of the node.
	ID int
	// CPUs are the system's numbers of its logical processors that the process may use.
	CPUs []int
	// Bytes is the size of its memory.
	Bytes int64
}

// ReadTopology asks the system. It is complete on Linux; on macOS there are no nodes; elsewhere only the numbers of
// logical processors are known.
func ReadTopology() Topology {
	t := Topology{Usable: runtime.GOMAXPROCS(0), Logical: runtime.NumCPU()}
	t.readSystem()
	if len(t.Nodes) == 0 {
		n := Node{CPUs: make([]int, t.Logical)}
		for i := range n.CPUs {
			n.CPUs[i] = i
		}
		t.Nodes = []Node{n}
	}
	return t
}
