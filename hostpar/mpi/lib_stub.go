package mpi

type libraryOp struct{}
