//go:build !linux && !darwin

package par

func (t *Topology) readSystem() {}
