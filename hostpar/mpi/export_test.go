package mpi

// Shrink makes calls take the ways of huge messages from that many elements and bytes on.
func Shrink(c *Comm, limit, bulk int) (restore func()) {
	e, ok := c.t.(*engine)
	if !ok {
		return func() {}
	}
	oldLimit, oldBulk := e.limit, e.bulk
	e.limit, e.bulk = limit, bulk
	return func() { e.limit, e.bulk = oldLimit, oldBulk }
}

// TakeCUDA makes the library pass for one that takes addresses of CUDA memory.
func TakeCUDA(c *Comm) (restore func()) {
	e, ok := c.t.(*engine)
	if !ok {
		return func() {}
	}
	old := e.lib.cuda
	e.lib.cuda = true
	return func() { e.lib.cuda = old }
}

// Native reports whether an MPI library carries the messages.
func Native(c *Comm) bool { return c.t.collective() }

// LauncherIn is launcherIn with the environment as a map.
func LauncherIn(env map[string]string) (name, family, size string, err error) {
	l, err := launcherIn(func(k string) string { return env[k] })
	if l == nil {
		return "", "", "", err
	}
	return l.name, l.family, l.size, err
}

// DeadProcesses asks for this process, for one with its number that began at another time, and for one elsewhere.
func DeadProcesses() (known, self, successor, elsewhere bool) {
	p := identify()
	q, r := p, p
	q.Start++
	r.Machine, r.ID = r.Machine+2, 1<<40
	return p.Machine != 0, p.dead(p), q.dead(p), r.dead(p)
}

// BoundToOne is boundToOne.
func BoundToOne() bool { return boundToOne() }

// Share is the share of the first of ranks on these machines with these sets of CPUs.
func Share(procs int, machines, cpus []uint64) int {
	peers := make([]process, len(machines))
	for i := range peers {
		peers[i] = process{Machine: machines[i], CPUs: cpus[i]}
	}
	return share(procs, peers[0], peers)
}
