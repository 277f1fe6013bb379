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
	anySource    int32
	anyTag       int32
	undefined    int32
	inPlace      uintptr
	statusIgnore uintptr
	// source, tag: 32-bit words of MPI_Status; see also bytesIn and canceledIn.
	source, tag int
	tailCount   bool // the length is a size_t in words 4 and 5, the cancellation word 3; else both are in words 0 and 1
	world       uintptr
	errors      uintptr // MPI_ERRORS_RETURN
	types       [elems]uintptr
	operators   [BitXor + 1]uintptr
	classes     map[int32]error
	// overruns: the library writes a long message that is received into a short buffer beyond its end, before it returns
	// the error. Measured in Open MPI 4.1.4, from C, through shared memory, TCP and within one process. Messages are then
	// received in two steps, of which the first tells the length.
	overruns bool
}

// Families of libraries. One binary serves both.
const (
	openMPI = "Open MPI"
	mpich   = "MPICH"
)

// mpichABI is that of MPICH 3.1 and later, Intel MPI, MVAPICH and Cray MPI, which have agreed on it. Handles are
// integers.
var mpichABI = abi{
	family: mpich, anySource: -2, anyTag: -1, undefined: -32766,
	inPlace: ^uintptr(0), statusIgnore: 1,
	source: 2, tag: 3,
	world: 0x44000000, errors: 0x54000001,
	types: [elems]uintptr{
		elemByte: 0x4c00010d,
		elemI8:   0x4c000137, elemI16: 0x4c000238, elemI32: 0x4c000439, elemI64: 0x4c00083a,
		elemU8: 0x4c00013b, elemU16: 0x4c00023c, elemU32: 0x4c00043d, elemU64: 0x4c00083e,
		elemF32: 0x4c00040a, elemF64: 0x4c00080b, elemC64: 0x4c000840, elemC128: 0x4c001041,
	},
	operators: [BitXor + 1]uintptr{
		Sum: 0x58000003, Product: 0x58000004, Min: 0x58000002, Max: 0x58000001,
		BitAnd: 0x58000006, BitOr: 0x58000008, BitXor: 0x5800000a,
	},
	classes: map[int32]error{2: ErrCount, 3: ErrType, 4: ErrTag, 6: ErrRank, 7: ErrRoot, 9: ErrOperator, 14: ErrTruncated},
}

// openMPIABI is that of Open MPI 4 and 5. Handles are the addresses of these objects.
var openMPIABI = abi{
	family: openMPI, anySource: -1, anyTag: -1, undefined: -32766,
	inPlace: 1, statusIgnore: 0,
	source: 0, tag: 1, tailCount: true, overruns: true,
	classes: map[int32]error{2: ErrCount, 3: ErrType, 4: ErrTag, 6: ErrRank, 8: ErrRoot, 10: ErrOperator, 15: ErrTruncated},
}

var openMPITypes = [elems]string{
	elemByte: "byte",
	elemI8:   "int8_t", elemI16: "int16_t", elemI32: "int32_t", elemI64: "int64_t",
	elemU8: "uint8_t", elemU16: "uint16_t", elemU32: "uint32_t", elemU64: "uint64_t",
	elemF32: "float", elemF64: "double", elemC64: "c_float_complex", elemC128: "c_double_complex",
}

var openMPIOperators = [BitXor + 1]string{
	Sum: "sum", Product: "prod", Min: "min", Max: "max", BitAnd: "band", BitOr: "bor", BitXor: "bxor",
}

// abiOf completes the table for an open library, which tells its family by its version text.
func abiOf(lib *dl.Library, version string) (abi, error) {
	if !strings.HasPrefix(version, "Open MPI") {
		if !strings.Contains(version, "MPICH") && !strings.Contains(version, "Intel(R) MPI") && !strings.Contains(version, "MVAPICH") {
			return abi{}, fmt.Errorf("%w: %s is neither Open MPI nor of MPICH's family: %q", ErrNoLibrary, lib.Path(), version)
		}
		return mpichABI, nil
	}
	a := openMPIABI
	var missing error
	at := func(name string) uintptr {
		f, err := lib.Symbol("ompi_mpi_" + name)
		if err != nil && missing == nil {
			missing = err
		}
		return uintptr(f)
	}
	a.world, a.errors = at("comm_world"), at("errors_return")
	for e, name := range openMPITypes {
		a.types[e] = at(name)
	}
	for op := Sum; op <= BitXor; op++ {
		a.operators[op] = at("op_" + openMPIOperators[op])
	}
	return a, missing
}

// handles is an array of handles in C: of int, or of pointers.
func (a *abi) handles(list ...uintptr) []byte {
	var b []byte
	for _, h := range list {
		if a.family == openMPI {
			b = binary.NativeEndian.AppendUint64(b, uint64(h))
		} else {
			b = binary.NativeEndian.AppendUint32(b, uint32(h))
		}
	}
	return b
}

// rawStatus is an MPI_Status of any family.
type rawStatus [8]int32

func (a *abi) bytesIn(s *rawStatus) int {
	if a.tailCount {
		return int(uint64(uint32(s[4])) | uint64(uint32(s[5]))<<32)
	}
	return int(uint64(uint32(s[0])) | uint64(uint32(s[1])>>1)<<32)
}

func (a *abi) canceledIn(s *rawStatus) bool {
	if a.tailCount {
		return s[3] != 0
	}
	return s[1]&1 != 0
}

// statusOf translates what the library wrote.
func (a *abi) statusOf(s *rawStatus) Status {
	return Status{Source: int(s[a.source]), Tag: int(s[a.tag]), Bytes: a.bytesIn(s)}
}
