package mpi

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tandem-go/tandem/internal/dl"
)

// function numbers the C functions that are called.
type function int

const (
	fnInit function = iota
	fnFinalize
	fnAbort
	fnVersion
	fnErrorString
	fnErrorClass
	fnRank
	fnSize
	fnSplit
	fnDup
	fnFree
	fnSetErrors
	fnIsend
	fnIrecv
	fnIprobe
	fnImprobe
	fnImrecv
	fnMrecv
	fnTest
	fnCancel
	fnContiguous
	fnStruct
	fnCommit
	fnTypeFree
	fnIbarrier
	fnIbcast
	fnIscatter
	fnIgather
	fnIallgather
	fnIalltoall
	fnIreduce
	fnIallreduce
	fnIscan
	fnBcast
	fnScatter
	fnGather
	fnAllgather
	fnAlltoall
	fnReduce
	fnAllreduce
	fnScan
	fnElements
	fnCanceled
	fnWinAllocate
	fnWinFree
	fnWinErrors
	fnWinLockAll
	fnWinUnlockAll
	fnWinFlush
	fnWinSync
	fnPut
	fnGet
	fnAccumulate
	fnFetch
	fnCompareSwap
	functions
)

var functionNames = [functions]string{"Init_thread", "Finalize", "Abort", "Get_library_version", "Error_string", "Error_class",
	"Comm_rank", "Comm_size", "Comm_split", "Comm_dup", "Comm_free", "Comm_set_errhandler",
	"Isend", "Irecv", "Iprobe", "Improbe", "Imrecv", "Mrecv", "Test", "Cancel",
	"Type_contiguous", "Type_create_struct", "Type_commit", "Type_free",
	"Ibarrier", "Ibcast", "Iscatter", "Igather", "Iallgather", "Ialltoall", "Ireduce", "Iallreduce", "Iscan",
	"Bcast", "Scatter", "Gather", "Allgather", "Alltoall", "Reduce", "Allreduce", "Scan",
	"Get_elements_x", "Test_cancelled",
	"Win_allocate", "Win_free", "Win_set_errhandler", "Win_lock_all", "Win_unlock_all", "Win_flush", "Win_sync",
	"Put", "Get", "Accumulate", "Fetch_and_op", "Compare_and_swap"}

// library is an open MPI library.
type library struct {
	abi
	path    string
	version string
	file    *dl.Library
	fn      [functions]dl.Func
	cuda    bool // it takes addresses of CUDA memory
}

// launcher is what started this process.
type launcher struct {
	name   string
	family string // "" if several are possible
	size   string // the number of ranks, in decimal
}

// slurmSize holds the number of ranks that srun has started.
const slurmSize = "SLURM_STEP_NUM_TASKS"

// launchers tell themselves by an environment variable that holds the number of ranks.
var launchers = []struct{ variable, name, family string }{
	{"OMPI_COMM_WORLD_SIZE", "Open MPI's mpirun", openMPI},
	{"PMI_SIZE", "a launcher of MPICH's family", mpich},
}

// launcherIn finds the launcher in an environment; a nil *launcher means that there was none.
func launcherIn(env func(string) string) (*launcher, error) {
	var found *launcher
	for _, l := range launchers {
		size := env(l.variable)
		if size == "" {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("mpi: %w: the environment is that of %s and of %s, one started from the other; unset the outer one's variables",
				ErrLauncher, found.name, l.name)
		}
		found = &launcher{l.name, l.family, size}
	}
	// srun sets PMI_SIZE too, in one of its ways to start ranks, and serves both families.
	size := env(slurmSize)
	if found == nil && size != "" && (env("PMIX_RANK") != "" || env("PMI_RANK") != "") || found != nil && found.family == mpich && size == found.size {
		found = &launcher{"srun", "", size}
	}
	return found, nil
}

// libraryFiles are the names and the folders of the distributions, by family.
var libraryFiles = map[string][]string{
	openMPI: {"libmpi.so.40", "/usr/lib64/openmpi/lib/libmpi.so.40", "/opt/homebrew/lib/libmpi.40.dylib"},
	mpich:   {"libmpich.so.12", "libmpi.so.12", "/usr/lib64/mpich/lib/libmpi.so.12", "/opt/homebrew/lib/libmpi.12.dylib"},
	"":      {"libmpi_abi.so.1", "libmpi_abi.so.0"}, // of any family, by the standard
}

// openLibrary opens the library of the launcher, or any if there is no launcher; file overrides the search.
func openLibrary(l *launcher, file string) (*library, error) {
	var files []string
	for _, family := range []string{openMPI, mpich, ""} {
		if l == nil || l.family == "" || family == "" || l.family == family {
			files = append(files, libraryFiles[family]...)
		}
	}
	if file != "" {
		files = []string{file}
	}
	what := "an MPI library"
	if l != nil {
		what = "the MPI library of " + l.name
	}
	missing := &dl.NotFoundError{What: what}
	for _, f := range files {
		lib, err := dl.OpenGlobal(f)
		if errors.Is(err, dl.ErrNoLoader) {
			return nil, fmt.Errorf("mpi: %w: %w", ErrNoLibrary, err)
		}
		if err != nil {
			missing.Attempts = append(missing.Attempts, dl.Attempt{Path: f, Err: err})
			continue
		}
		b, err := useLibrary(lib, l)
		if errors.Is(err, ErrLauncher) && file == "" { // a file without a family's name; another may be there
			missing.Attempts = append(missing.Attempts, dl.Attempt{Path: f, Err: err})
			continue
		}
		return b, err
	}
	return nil, fmt.Errorf("mpi: %w; set TANDEM_MPI to its file, or use Local: %w", ErrNoLibrary, missing)
}

func useLibrary(lib *dl.Library, l *launcher) (*library, error) {
	b := &library{path: lib.Path()}
	for i, name := range functionNames {
		var err error
		if b.fn[i], err = lib.Symbol("MPI_" + name); err != nil {
			return nil, fmt.Errorf("mpi: %w: %w", ErrNoLibrary, err)
		}
	}
	version := make([]byte, 1<<13) // MPI_MAX_LIBRARY_VERSION_STRING is 256 or 8192
	var n int32
	dl.NewFrame().Bytes(version).Int32(&n).Call(b.fn[fnVersion])
	text := strings.TrimRight(string(version[:n]), "\x00")
	a, err := abiOf(lib, text)
	if err != nil {
		return nil, fmt.Errorf("mpi: %w", err)
	}
	b.abi, b.file = a, lib
	b.version, _, _ = strings.Cut(strings.Join(strings.Fields(strings.ReplaceAll(text, "\n", " , ")), " "), " ,")
	if l != nil && l.family != "" && a.family != "" && l.family != a.family {
		return nil, fmt.Errorf("mpi: %w: started by %s, but %s is %s", ErrLauncher, l.name, lib.Path(), b.version)
	}
	return b, nil
}

// takesCUDA asks a library that has an opinion, and is initialized, whether it takes addresses of CUDA memory.
func takesCUDA(lib *dl.Library) bool {
	fn, err := lib.Symbol("MPIX_Query_cuda_support")
	return err == nil && int32(dl.NewFrame().Call(fn)) == 1
}

// failure translates a return code; nil for success.
func (b *library) failure(rc uintptr) error {
	code := int32(rc)
	if code == 0 {
		return nil
	}
	text := make([]byte, 1024) // MPI_MAX_ERROR_STRING is 256 or 512
	var n, class int32
	dl.NewFrame().Int(rc).Bytes(text).Int32(&n).Call(b.fn[fnErrorString])
	dl.NewFrame().Int(rc).Int32(&class).Call(b.fn[fnErrorClass])
	kind := b.classes[class]
	if kind == nil {
		kind = ErrLibrary
	}
	return &libraryError{int(code), kind, strings.TrimRight(string(text[:n]), "\x00")}
}
