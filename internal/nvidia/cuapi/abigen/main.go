// Command abigen writes a C file of static assertions that hold package cuapi's table against NVIDIA's cuda.h: the
// signature of each function, the size of each type, the value of each enumerator, error and device attribute. With
// -symbols it lists the names of the functions instead, one entry point a line. tools/abi.sh runs it.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
)

func main() {
	symbols := flag.Bool("symbols", false, "list the names of the functions")
	flag.Parse()
	w := bufio.NewWriter(os.Stdout)
	if *symbols {
		listSymbols(w)
	} else {
		writeAssertions(w)
	}
	if err := w.Flush(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// listSymbols writes "SINCE name name…" for each entry point: the version of CUDA from which on one of the names exists.
func listSymbols(w io.Writer) {
	for _, e := range cuapi.Entries() {
		since := 1 << 30
		for _, s := range e.Table() {
			since = min(since, s.Since)
		}
		fmt.Fprintf(w, "%d %s\n", since, strings.Join(e.Symbols(), " "))
	}
}

func writeAssertions(w io.Writer) {
	fmt.Fprint(w, "#include <stddef.h>\n#include <cuda.h>\n#if __has_include(<cudaProfiler.h>)\n#include <cudaProfiler.h>\n#define PROFILER 1\n#endif\n"+
		"#if __has_include(<cudaGL.h>) && __has_include(<GL/gl.h>)\n#include <cudaGL.h>\n#define OPENGL 1\n#endif\n")
	for _, e := range cuapi.Entries() {
		for _, s := range e.Table() {
			until := ""
			if s.Until > 0 {
				until = fmt.Sprintf(" && CUDA_VERSION < %d", s.Until)
			}
			if strings.HasPrefix(s.Name, "cuProfiler") { // in a header of its own, which not every toolkit package has
				until += " && PROFILER"
			}
			if strings.HasPrefix(s.Name, "cuGraphicsGL") || strings.HasPrefix(s.Name, "cuGL") { // needs OpenGL's headers, too
				until += " && OPENGL"
			}
			fmt.Fprintf(w, "#if CUDA_VERSION >= %d%s\n_Static_assert(__builtin_types_compatible_p(__typeof__(%s), CUresult CUDAAPI (%s)), \"%s\");\n#endif\n",
				s.Since, until, s.Name, s.Params, s.Name)
		}
	}
	for _, s := range cuapi.Sizes() {
		fmt.Fprintf(w, "_Static_assert(sizeof(%s) == %d, \"size of %s\");\n", s.Type, s.Bytes, s.Type)
	}
	for _, o := range cuapi.Offsets() {
		fmt.Fprintf(w, "_Static_assert(offsetof(%s, %s) == %d, \"offset of %s in %s\");\n", o.Type, o.Member, o.Bytes, o.Member, o.Type)
	}
	for _, v := range cuapi.Values() {
		assertValue(w, v.Name, v.Value)
	}
	for s := range driver.Status(1000) {
		if name := s.Name(); name != "CUDA_ERROR" {
			assertValue(w, name, int(s))
		}
	}
	for _, a := range attributes {
		assertValue(w, "CU_DEVICE_ATTRIBUTE_"+a.name, int(a.value))
	}
	for a := range driver.Attribute(1 << 10) {
		if name, ok := driver.AttributeNames[a]; ok {
			assertValue(w, "CU_DEVICE_ATTRIBUTE_"+name, int(a))
		}
	}
	// Pointers are no constant expressions, so the program that this file makes compares them when it runs.
	fmt.Fprint(w, "int main(void)\n{\n\treturn 0")
	for _, v := range cuapi.PointerValues() {
		fmt.Fprintf(w, " || (size_t)%s != %d", v.Name, v.Value)
	}
	fmt.Fprint(w, ";\n}\n")
}

func assertValue(w io.Writer, name string, v int) {
	fmt.Fprintf(w, "_Static_assert(%s == %d, \"%s\");\n", name, v, name)
}

// attributes names the attributes of package driver as cuda.h does.
var attributes = []struct {
	name  string
	value driver.Attribute
}{
	{"MAX_THREADS_PER_BLOCK", driver.MaxThreadsPerBlock},
	{"MAX_BLOCK_DIM_X", driver.MaxBlockDimX},
	{"MAX_BLOCK_DIM_Y", driver.MaxBlockDimY},
	{"MAX_BLOCK_DIM_Z", driver.MaxBlockDimZ},
	{"MAX_GRID_DIM_X", driver.MaxGridDimX},
	{"MAX_GRID_DIM_Y", driver.MaxGridDimY},
	{"MAX_GRID_DIM_Z", driver.MaxGridDimZ},
	{"MAX_SHARED_MEMORY_PER_BLOCK", driver.MaxSharedBytesPerBlock},
	{"TOTAL_CONSTANT_MEMORY", driver.TotalConstantBytes},
	{"WARP_SIZE", driver.WarpSize},
	{"MAX_REGISTERS_PER_BLOCK", driver.MaxRegistersPerBlock},
	{"CLOCK_RATE", driver.ClockRateKHz},
	{"TEXTURE_ALIGNMENT", driver.TextureAlignment},
	{"TEXTURE_PITCH_ALIGNMENT", driver.TexturePitchAlignment},
	{"MULTIPROCESSOR_COUNT", driver.MultiprocessorCount},
	{"INTEGRATED", driver.Integrated},
	{"CAN_MAP_HOST_MEMORY", driver.CanMapHostMemory},
	{"CONCURRENT_KERNELS", driver.ConcurrentKernels},
	{"ECC_ENABLED", driver.ECCEnabled},
	{"PCI_BUS_ID", driver.PCIBusID},
	{"PCI_DEVICE_ID", driver.PCIDeviceID},
	{"MEMORY_CLOCK_RATE", driver.MemoryClockRateKHz},
	{"GLOBAL_MEMORY_BUS_WIDTH", driver.GlobalMemoryBusWidth},
	{"L2_CACHE_SIZE", driver.L2CacheBytes},
	{"MAX_THREADS_PER_MULTIPROCESSOR", driver.MaxThreadsPerSM},
	{"ASYNC_ENGINE_COUNT", driver.AsyncEngineCount},
	{"UNIFIED_ADDRESSING", driver.UnifiedAddressing},
	{"PCI_DOMAIN_ID", driver.PCIDomainID},
	{"COMPUTE_CAPABILITY_MAJOR", driver.ComputeCapabilityMajor},
	{"COMPUTE_CAPABILITY_MINOR", driver.ComputeCapabilityMinor},
	{"MAX_SHARED_MEMORY_PER_MULTIPROCESSOR", driver.MaxSharedBytesPerSM},
	{"MANAGED_MEMORY", driver.ManagedMemory},
	{"COOPERATIVE_LAUNCH", driver.CooperativeLaunch},
	{"MAX_SHARED_MEMORY_PER_BLOCK_OPTIN", driver.MaxSharedBytesPerBlockOptin},
	{"MEMORY_POOLS_SUPPORTED", driver.MemoryPoolsSupported},
}
