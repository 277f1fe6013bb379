package mpi

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/tandem-go/tandem/internal/dl"
)

// abi is what a compiler would take from the mpi.h of one family of libraries.
type abi struct {
	family       string
	wide         bool // handles are pointers, else int
	anySource    int32
	anyTag       int32
	undefined    int32
	oneThread    uintptr // MPI_THREAD_SERIALIZED
	inPlace      uintptr
	statusIgnore uintptr
	// source, tag: 32-bit words of MPI_Status; see also bytesIn and canceledIn.
	source, tag int
	length      lengthForm
	world       uintptr
	errors      uintptr // MPI_ERRORS_RETURN
	noInfo      uintptr // MPI_INFO_NULL
	types       [elems]uintptr
	operators   [operators]uintptr
	classes     map[int32]error
	// overruns: the library writes a long message that is received into a short buffer beyond its end, before it returns
	// the error. Measured in Open MPI 4.1.4, from C, through shared memory, TCP and within one process. Messages are then
	// received in two steps, of which the first tells the length.
	overruns bool
	// swapFails: MPI_Compare_and_swap ends the process on a window of MPI_Win_allocate. Measured in Open MPI 4.1.4, from C.
	swapFails bool
}

// lengthForm is where a status has the length of a message and whether it was canceled.
type lengthForm uint8

const (
	lengthFirst  lengthForm = iota // both in words 0 and 1
	lengthLast                     // a size_t in words 4 and 5, the cancellation in word 3
	lengthHidden                   // the library has functions that tell
)

// Families of libraries. One binary serves both.
const (
	openMPI = "Open MPI"
	mpich   = "MPICH"
)

// mpichABI is that of MPICH 3.1 and later, Intel MPI, MVAPICH and Cray MPI, which have agreed on it. Handles are
// integers.
var mpichABI = abi{
	family: mpich, anySource: -2, anyTag: -1, undefined: -32766,
	oneThread: 2, inPlace: ^uintptr(0), statusIgnore: 1,
	source: 2, tag: 3,
	world: 0x44000000, errors: 0x54000001, noInfo: 0x1c000000,
	types: [elems]uintptr{
		elemByte: 0x4c00010d,
		elemI8:   0x4c000137, elemI16: 0x4c000238, elemI32: 0x4c000439, elemI64: 0x4c00083a,
		elemU8: 0x4c00013b, elemU16: 0x4c00023c, elemU32: 0x4c00043d, elemU64: 0x4c00083e,
		elemF32: 0x4c00040a, elemF64: 0x4c00080b, elemC64: 0x4c000840, elemC128: 0x4c001041,
	},
	operators: [operators]uintptr{
		Sum: 0x58000003, Product: 0x58000004, Min: 0x58000002, Max: 0x58000001,
		BitAnd: 0x58000006, BitOr: 0x58000008, BitXor: 0x5800000a, Replace: 0x5800000d,
	},
	classes: map[int32]error{2: ErrCount, 3: ErrType, 4: ErrTag, 6: ErrRank, 7: ErrRoot, 9: ErrOperator, 14: ErrTruncated},
}

// openMPIABI is that of Open MPI 4 and 5. Handles are the addresses of these objects.
var openMPIABI = abi{
	family: openMPI, wide: true, anySource: -1, anyTag: -1, undefined: -32766,
	oneThread: 2, inPlace: 1, statusIgnore: 0,
	source: 0, tag: 1, length: lengthLast, overruns: true,
	classes: standardClasses,
}

var standardClasses = map[int32]error{2: ErrCount, 3: ErrType, 4: ErrTag, 6: ErrRank, 8: ErrRoot, 10: ErrOperator, 15: ErrTruncated}

// standardABI is that of MPI 5.0, chapter 20, which a library of any family may have beside its own, in a file
// libmpi_abi. Handles are small numbers in the type of a pointer.
var standardABI = abi{
	wide: true, anySource: -1, anyTag: -2, undefined: -32766,
	oneThread: 2048, inPlace: 1, statusIgnore: 0,
	source: 0, tag: 1, length: lengthHidden,
	world: 0x101, errors: 0x143, noInfo: 0x130,
	types: [elems]uintptr{
		elemByte: 0x247,
		elemI8:   0x240, elemI16: 0x248, elemI32: 0x250, elemI64: 0x258,
		elemU8: 0x241, elemU16: 0x249, elemU32: 0x251, elemU64: 0x259,
		elemF32: 0x210, elemF64: 0x214, elemC64: 0x212, elemC128: 0x216,
	},
	operators: [operators]uintptr{
		Sum: 0x21, Product: 0x24, Min: 0x22, Max: 0x23, BitAnd: 0x28, BitOr: 0x29, BitXor: 0x2a, Replace: 0x3c,
	},
	classes: standardClasses,
}

var openMPITypes = [elems]string{
	elemByte: "byte",
	elemI8:   "int8_t", elemI16: "int16_t", elemI32: "int32_t", elemI64: "int64_t",
	elemU8: "uint8_t", elemU16: "uint16_t", elemU32: "uint32_t", elemU64: "uint64_t",
	elemF32: "float", elemF64: "double", elemC64: "c_float_complex", elemC128: "c_double_complex",
}

var openMPIOperators = [operators]string{
	Sum: "sum", Product: "prod", Min: "min", Max: "max", BitAnd: "band", BitOr: "bor", BitXor: "bxor", Replace: "replace",
}

// familyOf tells the family by the version text; "" is none that is known.
func familyOf(version string) string {
	if strings.HasPrefix(version, openMPI) {
		return openMPI
	}
	for _, name := range []string{"MPICH", "Intel(R) MPI", "MVAPICH"} {
		if strings.Contains(version, name) {
			return mpich
		}
	}
	return ""
}

// abiOf finds the table for an open library.
func abiOf(lib *dl.Library, version string) (abi, error) {
	family := familyOf(version)
	if standard(lib) {
		a := standardABI
		a.family, a.overruns = family, family == openMPI
		return a, nil
	}
	switch family {
	case openMPI:
		a, err := openMPIHandles(lib)
		a.swapFails = strings.HasPrefix(version, "Open MPI v4.")
		return a, err
	case mpich:
		return mpichABI, nil
	}
	return abi{}, fmt.Errorf("%w: %s is neither Open MPI nor of MPICH's family nor has it the ABI of MPI 5: %q", ErrNoLibrary, lib.Path(), version)
}

// standard reports whether the library has the ABI of MPI 5.0: MPI_Abi_get_version then gives 1 or more, else -1.
func standard(lib *dl.Library) bool {
	fn, err := lib.Symbol("MPI_Abi_get_version")
	if err != nil {
		return false
	}
	var major, minor int32
	rc := dl.NewFrame().Int32(&major).Int32(&minor).Call(fn)
	return int32(rc) == 0 && major >= 1
}

// openMPIHandles completes the table of Open MPI.
func openMPIHandles(lib *dl.Library) (abi, error) {
	a := openMPIABI
	var missing error
	at := func(name string) uintptr {
		f, err := lib.Symbol("ompi_mpi_" + name)
		if err != nil && missing == nil {
			missing = err
		}
		return uintptr(f)
	}
	a.world, a.errors, a.noInfo = at("comm_world"), at("errors_return"), at("info_null")
	for e, name := range openMPITypes {
		a.types[e] = at(name)
	}
	for op := Sum; op < operators; op++ {
		a.operators[op] = at("op_" + openMPIOperators[op])
	}
	return a, missing
}

// handles is an array of handles in C.
func (a *abi) handles(list ...uintptr) []byte {
	var b []byte
	for _, h := range list {
		if a.wide {
			b = binary.NativeEndian.AppendUint64(b, uint64(h))
		} else {
			b = binary.NativeEndian.AppendUint32(b, uint32(h))
		}
	}
	return b
}

// rawStatus is an MPI_Status of any family.
type rawStatus [8]int32

// bytesIn is the length of the message; not for lengthHidden.
func (a *abi) bytesIn(s *rawStatus) int {
	if a.length == lengthLast {
		return int(uint64(uint32(s[4])) | uint64(uint32(s[5]))<<32)
	}
	return int(uint64(uint32(s[0])) | uint64(uint32(s[1])>>1)<<32)
}

// canceledIn reports whether the receive was canceled; not for lengthHidden.
func (a *abi) canceledIn(s *rawStatus) bool {
	if a.length == lengthLast {
		return s[3] != 0
	}
	return s[1]&1 != 0
}
