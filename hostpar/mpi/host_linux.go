package mpi

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem/internal/dl"
)

// boundToOne reports whether this process may use one CPU only of a machine that has more.
func boundToOne() bool {
	var set unix.CPUSet
	if unix.SchedGetaffinity(0, &set) != nil || set.Count() != 1 {
		return false
	}
	if online, err := os.ReadFile("/sys/devices/system/cpu/online"); err == nil {
		return strings.ContainsAny(string(online), "-,")
	}
	stat, err := os.ReadFile("/proc/stat") // a root without /sys
	return err == nil && strings.Contains(string(stat), "\ncpu1 ")
}

// keepSignals makes the UCX library, which MPI libraries bring, leave the signals of bad memory accesses to Go, where a nil
// dereference is a panic that can be reported. It reads the environment of C when it is loaded. What the user has set stays.
func keepSignals() {
	const variable = "UCX_ERROR_SIGNALS"
	if _, set := os.LookupEnv(variable); set {
		return
	}
	libc, err := dl.Open("libc.so.6")
	if err != nil {
		return // then opening the MPI library says why
	}
	if setenv, err := libc.Symbol("setenv"); err == nil {
		dl.NewFrame().String(variable).String("").Int(0).Call(setenv)
	}
}

// identify returns what another process of this machine needs to see whether this one still lives. The zero value says
// that nobody can.
func identify() (p process) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return process{}
	}
	space, err := os.Readlink("/proc/self/ns/pid") // ids mean something in one container only
	if err != nil {
		return process{}
	}
	h := fnv.New64a()
	_, _ = h.Write(append(boot, space...)) // a hash takes everything
	start, ok := startTime(os.Getpid())
	if !ok {
		return process{}
	}
	p = process{Machine: h.Sum64() | 1, ID: uint64(os.Getpid()), Start: start}
	var set unix.CPUSet
	if unix.SchedGetaffinity(0, &set) == nil {
		h.Reset()
		_, _ = fmt.Fprint(h, set)
		p.CPUs = h.Sum64() | 1
	}
	return p
}

// startTime is when a living process began, in ticks since the machine did.
func startTime(pid int) (uint64, bool) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, false
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:]) // the name before may hold anything
	if len(fields) < 20 || fields[0][0] == 'Z' || fields[0][0] == 'X' {
		return 0, false
	}
	start, err := strconv.ParseUint(string(fields[19]), 10, 64)
	return start, err == nil
}

// dead reports whether a process of the machine of self has ended.
func (p process) dead(self process) bool {
	if p.Machine == 0 || p.Machine != self.Machine {
		return false
	}
	start, ok := startTime(int(p.ID))
	return !ok || start != p.Start
}
