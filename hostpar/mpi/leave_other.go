//go:build !linux

package mpi

// manager is the connection of this process to the launcher, which is not looked for here.
type manager struct{}

func findManager(func(string) string) manager { return manager{} }

func (manager) leave() {}
