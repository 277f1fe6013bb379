// Package gorgonia lets programs use gorgonia.org/cu and Tandem on one GPU: it opens devices whose calls gorgonia.org/cu makes, and
// converts between Tandem's objects and gorgonia's.
//
// # Devices
//
// Open opens a GPU for which gorgonia.org/cu calls the driver: contexts, device memory, copies between addresses, fills, modules,
// launches, streams and events. Everything of package cuda works on such a device, since all else goes to the same driver
// library by Tandem's own calls:
//
//   - What gorgonia.org/cu v0.9.6 has no function for: page-locked and registered memory, memory pools, texture and surface
//     objects, OpenGL, host functions, cooperative launches and those in clusters, capturing and launching graphs, parameters
//     and settable attributes of kernels.
//   - Launches that it cannot make, because it passes eight bytes of each parameter: kernels with a structure or an array among
//     their parameters, kernels of machine code whose parameters the driver does not tell (before CUDA 12.4), parts of a grid.
//   - Questions and rarer calls that it has functions for: attributes and limits, occupancy, the linker, managed memory, copies of
//     boxes and to arrays, peers.
//
// A launch through gorgonia.org/cu is three calls of cgo and some allocations where Tandem's own is one transition to C and none.
// Results, errors and their texts are the same: the same checks of the contract pass.
//
// # Conversions
//
// Nothing is copied and nothing changes its owner: a stream, an event, a module or memory that was converted is still ended by
// whoever made it, and must live as long as the other side uses it. On the host device there are no such objects; the errors
// wrap cuda.ErrNotSupported.
//
// # Building
//
// gorgonia.org/cu needs cgo, NVIDIA's headers of CUDA 11 or 12 and a libcuda to link with, and it ends the process at its
// start where there is no GPU. Therefore this package is a module of its own, and empty without the build tag gorgonia:
//
//	CGO_CFLAGS=-I/path/to/cuda/include go build -tags gorgonia
//
// With headers of CUDA 13 gorgonia.org/cu v0.9.6 does not compile: cuCtxCreate, cuMemAdvise, cuMemPrefetchAsync,
// cuGraphAddDependencies and cuGraphGetEdges have other parameters there.
package gorgonia
