package cuda

import (
	"fmt"
	"strings"

	"github.com/tandem-go/tandem/internal/driver"
)

// Check is a check of the sanitizer, by the name that the command-line tool gives it. Only the host device has checks.
type Check string

// The checks.
const (
	// Memcheck reports accesses that end a launch, with the allocation they belong to, and makes Device.Leaks list what
	// kernels allocated and did not free.
	Memcheck Check = "memcheck"
	// Initcheck reports reads of global and shared memory that nobody has written. It must be on when the device is opened,
	// and sees what buffers are used for; page-locked memory counts as written.
	Initcheck Check = "initcheck"
	// Racecheck reports accesses of different threads to the same bytes of shared or global memory, at least one of them a
	// write, that nothing in the launch orders.
	Racecheck Check = "racecheck"
	// Synccheck reports barriers that only a part of a warp comes to, member masks that name the wrong lanes, and threads
	// that wait for each other.
	Synccheck Check = "synccheck"
)

// AllChecks returns all checks.
func AllChecks() []Check { return []Check{Memcheck, Initcheck, Racecheck, Synccheck} }

var checkBits = map[Check]driver.Checks{
	Memcheck: driver.Memcheck, Initcheck: driver.Initcheck, Racecheck: driver.Racecheck, Synccheck: driver.Synccheck,
}

func checkMask(op string, checks []Check) (mask driver.Checks, err error) {
	for _, c := range checks {
		bit := checkBits[c]
		if bit == 0 {
			return 0, misused(op, ErrInvalidValue, "there is no check %q; there are memcheck, initcheck, racecheck and synccheck", c)
		}
		mask |= bit
	}
	return mask, nil
}

// Report is a defect of a kernel that a check found.
type Report struct {
	// Check is who found it, and Kind what it is: "fault", "leak", "uninitialised read", "write after write",
	// "read after write", "write after read", "lockstep" (sharing that only the lockstep of a warp orders), "divergent barrier",
	// "deadlock" or "wrong mask".
	Check Check
	Kind  string
	// Kernel is the kernel's symbol.
	Kernel string
	// Place is the thread and the instruction; Other, for a race, the thread that came before, nil without one.
	Place
	Other *Place
	// Space is "global", "shared" or another state space, Addr the address there (an offset in shared memory), Size the
	// number of bytes; 0 if no memory is involved.
	Space string
	Addr  uint64
	Size  int
	// Buffer is the allocation that the address lies in, or lay in before it was freed, or is next to; nil if none is known.
	Buffer *ReportBuffer
	// Detail says more in words.
	Detail string
	// Count is how often the defect was found: by how many threads, or executions.
	Count int
}

// Place is a thread at an instruction of a kernel.
type Place struct {
	Block, Thread Dim3
	// Access is "read", "write", "atomic" or empty.
	Access string
	// SourceFile and SourceLine are the position in the CUDA source, PTXFile and PTXLine that in the PTX; lines are 0 where
	// unknown.
	SourceFile string
	SourceLine int
	PTXFile    string
	PTXLine    int
}

// ReportBuffer is an allocation that a report is about.
type ReportBuffer struct {
	Allocation
	// Offset is the reported address minus that of the allocation.
	Offset int64
	// Freed is whether the allocation had been freed.
	Freed bool
}

// String describes the defect in one line and, for races and buffers, further indented lines.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s in %s: %s", r.Check, r.Kind, r.Kernel, r.Place)
	if r.Size > 0 {
		fmt.Fprintf(&b, ": %d bytes of %s memory at %#x", r.Size, r.Space, r.Addr)
	}
	if r.Detail != "" {
		fmt.Fprintf(&b, ": %s", r.Detail)
	}
	if r.Count > 1 {
		fmt.Fprintf(&b, " (%d times)", r.Count)
	}
	if r.Other != nil {
		fmt.Fprintf(&b, "\n  conflicts with: %s", *r.Other)
	}
	if u := r.Buffer; u != nil {
		freed := ""
		if u.Freed {
			freed = ", freed"
		}
		fmt.Fprintf(&b, "\n  byte %d of an allocation of %d bytes%s", u.Offset, u.Bytes, freed)
		for _, line := range strings.Split(u.Site, "\n") {
			if line != "" {
				fmt.Fprintf(&b, "\n    %s", line)
			}
		}
	}
	return b.String()
}

// String is "write by block (0,0,0), thread (1,0,0) at file.cu:12, file.ptx:40".
func (p Place) String() string {
	var b strings.Builder
	if p.Access != "" {
		b.WriteString(p.Access + " by ")
	}
	fmt.Fprintf(&b, "block %v, thread %v", p.Block, p.Thread)
	if p.SourceLine > 0 {
		fmt.Fprintf(&b, " at %s:%d", p.SourceFile, p.SourceLine)
	}
	if p.PTXLine > 0 {
		fmt.Fprintf(&b, ", %s:%d", p.PTXFile, p.PTXLine)
	}
	return strings.TrimPrefix(b.String(), ", ")
}

// Reports returns what the checks of the device and of its launches found since the last call, in the order in which it was
// found. Work that has not been waited for may still find more. A device without checks returns nil.
func (d *Device) Reports() []Report {
	checker, ok := d.c.drv.(driver.Checker)
	if !ok || d.c.closed.Load() {
		return nil
	}
	var out []Report
	for _, r := range checker.Reports() {
		out = append(out, d.c.report(r))
	}
	return out
}

// report gives a report of the driver its public form.
func (c *core) report(r driver.Report) Report {
	out := Report{
		Kind: r.Kind, Kernel: r.Kernel, Place: c.place(r.Kernel, r.ReportPlace), Space: r.Space, Addr: r.Addr, Size: r.Size,
		Detail: r.Detail, Count: r.Count,
	}
	for name, bit := range checkBits {
		if bit == r.Check {
			out.Check = name
		}
	}
	if r.Other != nil {
		other := c.place(r.Kernel, *r.Other)
		out.Other = &other
	}
	if r.Size > 0 && (r.Space == "global" || r.Space == "generic" || r.Space == "const") {
		out.Buffer = c.sites.find(r.Addr)
	}
	if u := out.Buffer; u != nil && u.Freed {
		r.Detail = fmt.Sprintf("%d bytes into freed memory of %d bytes", u.Offset, u.Bytes) // other memory may be near there now
	}
	if r.Status != 0 {
		out.Detail = strings.TrimSuffix(r.Status.Error()+": "+r.Detail, ": ")
	}
	return out
}

func (c *core) place(kernel string, p driver.ReportPlace) Place {
	out := Place{
		Block: dim3(p.Block), Thread: dim3(p.Thread), Access: p.Access, SourceFile: p.SourceFile, SourceLine: p.SourceLine,
		PTXFile: p.PTXFile, PTXLine: p.PTXLine,
	}
	// NVRTC puts the folder in which it ran before the name.
	if k := c.recent.kernel(kernel); k != nil && strings.HasSuffix(out.SourceFile, "/"+k.file) {
		out.SourceFile = k.file
	}
	return out
}

// Line is how often a line of CUDA source was executed, by thread.
type Line struct {
	File  string
	Line  int
	Count uint64
}

// Coverage returns how often the source lines were executed of all kernels that were launched with LaunchConfig.Cover or on
// a device with HostConfig.Cover, by file and line. Lines need positions in the PTX, which Compile asks for.
func (d *Device) Coverage() []Line {
	checker, ok := d.c.drv.(driver.Checker)
	if !ok || d.c.closed.Load() {
		return nil
	}
	var out []Line
	for _, l := range checker.Coverage() {
		out = append(out, Line(l))
	}
	return out
}

// CoverProfile writes lines in the format that `go tool cover` reads, with mode count: each line is a block of one
// statement. Paths must be absolute or begin with "./" for `go tool cover -html` to find the files.
func CoverProfile(lines []Line) string {
	var b strings.Builder
	b.WriteString("mode: count\n")
	for _, l := range lines {
		fmt.Fprintf(&b, "%s:%d.1,%d.1000 1 %d\n", l.File, l.Line, l.Line, l.Count)
	}
	return b.String()
}

// watched sets what a launch asks for beyond the device's own checks.
func (c *core) watched(op string, cfg *LaunchConfig, l *driver.Launch) (err error) {
	if len(cfg.Checks) == 0 && !cfg.Cover {
		return nil
	}
	if !c.caps.Checks {
		return misused(op, ErrNotSupported, "%s has no checks: run the kernel on the host device", c.name)
	}
	l.Cover = cfg.Cover
	l.Checks, err = checkMask(op, cfg.Checks)
	return err
}
