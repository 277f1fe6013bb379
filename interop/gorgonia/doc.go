// Package gorgonia converts between Tandem's objects and those of gorgonia.org/cu, for programs that use both on one GPU.
//
// Nothing is copied and nothing changes its owner: a stream, an event, a module or memory that was converted is still ended by
// whoever made it, and must live as long as the other side uses it. On the host device there are no such objects; the errors
// wrap cuda.ErrNotSupported.
//
// gorgonia.org/cu needs cgo, NVIDIA's headers of CUDA 11 or 12 and a libcuda to link with, and it ends the process at its
// start where there is no GPU. Therefore this package is a module of its own, and empty without the build tag gorgonia:
//
//	CGO_CFLAGS=-I/path/to/cuda/include go build -tags gorgonia
//
// With headers of CUDA 13 gorgonia.org/cu v0.9.6 does not compile: cuCtxCreate, cuMemAdvise, cuMemPrefetchAsync,
// cuGraphAddDependencies and cuGraphGetEdges have other parameters there.
package gorgonia
