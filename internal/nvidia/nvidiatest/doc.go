// Package nvidiatest is a driver library for tests of what stands on the driver: C callbacks whose devices are host devices, so
// that kernels run. It exists on Linux only, and not under the build tag tandem_nodl.
package nvidiatest
