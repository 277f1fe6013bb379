// Package parity is the list of what PyCUDA and its peers offer, with what Tandem offers for each: the table behind
// docs/parity.md.
//
// A row that is said to work names exported identifiers and a test; the tests of this package look both up in the source,
// so that neither can vanish without the table noticing, and hold docs/parity.md against the table.
package parity

import (
	"fmt"
	"strings"
)

// State says how far a row has come.
type State int

// The states of rows.
const (
	// Both: works on the host device and on a GPU alike.
	Both State = iota + 1
	// GPUOnly: works on a GPU; the host device returns cuda.ErrNotSupported.
	GPUOnly
	// Later: not there yet.
	Later
	// Dropped: will not come; Note says why.
	Dropped
)

var stateNames = map[State]string{Both: "both", GPUOnly: "GPU only", Later: "later", Dropped: "dropped"}

// String returns what the document says.
func (s State) String() string { return stateNames[s] }

// Row is one feature.
type Row struct {
	// ID numbers the row within its section, such as "M3".
	ID string
	// Peer is the name that the peer gives it.
	Peer string
	// State is how far it is, Go the identifiers of package cuda (or "package.Name") that give it, separated by spaces.
	State State
	Go    string
	// Test shows it: "folder.TestName", or "kit.Name" for a check of driver/drivertest.
	Test string
	// Note says what differs, or why not.
	Note string
}

// Section is a group of rows.
type Section struct {
	Title string
	Rows  []Row
}

// Sections are all rows.
func Sections() []Section {
	return []Section{
		{"Version, initialisation, devices", deviceRows},
		{"Context", contextRows},
		{"Streams and events", streamRows},
		{"Device memory", memoryRows},
		{"Host memory", hostRows},
		{"Arrays, textures, surfaces", arrayRows},
		{"Copies and fills", copyRows},
		{"Modules, functions, launch", launchRows},
		{"Errors, profiler, debugging", errorRows},
		{"Compiler", compilerRows},
		{"Tools", toolRows},
		{"Arrays of numbers", gpuarrayRows},
		{"Mathematics, elementwise, reductions, random numbers", mathRows},
		{"Sparse matrices, OpenGL, examples", otherRows},
		{"Beyond PyCUDA", beyondRows},
		{"Beyond all peers", newRows},
	}
}

// pycudaSections is how many of the sections are about PyCUDA.
const pycudaSections = 14

// PyCUDA is docs/pycuda.md.
func PyCUDA() string {
	var b strings.Builder
	rows := map[string]Row{}
	b.WriteString(pycudaHead)
	for _, s := range Sections()[:pycudaSections] {
		fmt.Fprintf(&b, "\n## %s\n\n| in PyCUDA | in Go | remark |\n|---|---|---|\n", s.Title)
		for _, r := range s.Rows {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", r.Peer, r.answer(), r.Note)
			rows[r.ID] = r
		}
	}
	b.WriteString("\n## Every name\n\nThe public names of PyCUDA 2026.1, by module. Remarks stand above.\n\n| module | names | in Go |\n|---|---|---|\n")
	for _, n := range pycudaNames {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", n.module, code(n.names), rows[n.row].answer())
	}
	return b.String()
}

// answer is what there is for a row.
func (r Row) answer() string {
	switch {
	case r.State == Later:
		return "not yet"
	case r.State == Dropped:
		return "none"
	case r.Go == "":
		return "see the remark"
	}
	return code(r.Go)
}

const pycudaHead = `# From PyCUDA to Tandem

Generated from the table in internal/parity; ` + "`make golden`" + ` writes it anew. Names are of package cuda unless they have a prefix.

What is different at first sight:

- There is no context to push or pop and no autoinit: ` + "`Default`" + ` or ` + "`Open`" + ` gives a ` + "`Device`" + `, whose objects any goroutine may use.
- ` + "`SourceModule(source)`" + ` is ` + "`Device.Compile`" + `, by NVRTC; ` + "`module.get_function(name)`" + ` is ` + "`Module.Function`" + `.
- A call ` + "`f(drv.Out(dest), drv.In(a), block=(400, 1, 1))`" + ` is ` + "`f.Run(ctx, LaunchConfig{...}, Out(dest), In(a))`" + `, which waits;
  ` + "`f.Launch`" + ` queues, and ` + "`Stream.Wait`" + ` fills the slices. Arguments are checked against the kernel first.
- Grid and block are ` + "`Dim3`" + `; ` + "`Blocks(n, threads)`" + ` is the usual grid.
- Memory is typed: ` + "`Buffer[float32]`" + `. Nobody has to free it.
- Errors are values; ` + "`errors.Is(err, ErrOutOfMemory)`" + ` and its like tell them apart.
- Without a GPU the same program runs on the cores of the CPU.
`

// Document is docs/parity.md.
func Document() string {
	var b strings.Builder
	b.WriteString("# What peers offer, and what Tandem offers\n\n" +
		"Generated from the table in internal/parity, whose tests look up each name and each test; `make golden` writes it anew.\n" +
		"`both`: works on the host device and on a GPU alike. `GPU only`: the host device returns `cuda.ErrNotSupported`.\n" +
		"`later`: not there yet. Nothing here has run on a real GPU; GPU paths are tested against stand-ins for the driver.\n")
	count := map[State]int{}
	for _, s := range Sections() {
		fmt.Fprintf(&b, "\n## %s\n\n| row | peer's name | state | in Go | test | note |\n|---|---|---|---|---|---|\n", s.Title)
		for _, r := range s.Rows {
			count[r.State]++
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", r.ID, r.Peer, r.State, code(r.Go), code(r.Test), r.Note)
		}
	}
	fmt.Fprintf(&b, "\n%d rows work on both, %d on a GPU only, %d come later, %d are dropped.\n",
		count[Both], count[GPUOnly], count[Later], count[Dropped])
	return b.String()
}

func code(names string) string {
	var out []string
	for _, n := range strings.Fields(names) {
		out = append(out, "`"+n+"`")
	}
	return strings.Join(out, " ")
}
