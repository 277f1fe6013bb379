package driver

// Checks are tools that look for defects of kernels while they run.
type Checks uint8

// The checks. Memcheck reports faults and what lives on the device heap, Initcheck reads of memory that was never written,
// Racecheck accesses to shared and global memory that nothing orders, Synccheck wrong use of barriers and member masks.
const (
	Memcheck Checks = 1 << iota
	Initcheck
	Racecheck
	Synccheck

	AllChecks = Memcheck | Initcheck | Racecheck | Synccheck
)

// Report is a defect that a check found.
type Report struct {
	// Check is the one tool that found it; Kind says what it is, in words that do not change.
	Check Checks
	Kind  string
	// Kernel is the PTX symbol of the entry.
	Kernel string
	ReportPlace
	// Other is the thread that the first one conflicts with; nil if there is none.
	Other *ReportPlace
	// Addr and Size are the bytes, in Space: an address in global memory, an offset in shared memory. Size is 0 if no memory
	// is involved.
	Addr  uint64
	Size  int
	Space string
	// Status is that of a fault, else 0.
	Status Status
	// Detail says more in words.
	Detail string
	// Count is how often the defect was found.
	Count int
}

// ReportPlace is a thread at an instruction.
type ReportPlace struct {
	Block, Thread Dim3
	// Access is "read", "write", "atomic" or empty.
	Access     string
	PTXFile    string
	PTXLine    int
	SourceFile string
	SourceLine int
}

// Line is how often threads executed a line of CUDA source: the most often executed instruction of it counts.
type Line struct {
	File  string
	Line  int
	Count uint64
}

// Checker is implemented by devices that have checks (Caps.Checks).
type Checker interface {
	// Reports returns what was found since the last call.
	Reports() []Report
	// HeapLeaks lists what lives on the device heap and was allocated by launches with Memcheck.
	HeapLeaks() []Report
	// Coverage lists the lines of all kernels that were launched with Launch.Cover, by file and line.
	Coverage() []Line
	// ShadowBytes is the most memory that checks have used beside the device's, for one launch.
	ShadowBytes() uint64
}
