package proc

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// environment tells a process that it is a worker.
const environment = "TANDEM_PROC_WORKER"

// maxDepth is how many generations of processes there may be.
const maxDepth = 16

// Info describes a process.
type Info struct {
	// Name is what the process was called when it was started; "main" for the first one. On Linux the system shows it too.
	Name string
	// PID is its number.
	PID int
	// Parent is the number of the process that started it, 0 for the first one.
	Parent int
	// Daemon says that it may not start processes and is killed when its parent ends.
	Daemon bool
	// Depth is 0 for the first process, 1 for those that it starts, and so on.
	Depth int
}

// self is what this process is. It is set by Main.
var self struct {
	ready atomic.Bool
	mu    sync.Mutex
	info  Info
}

// Current describes this process.
func Current() Info {
	self.mu.Lock()
	defer self.mu.Unlock()
	if !self.ready.Load() {
		return Info{Name: "main", PID: os.Getpid()}
	}
	return self.info
}

// IsWorker reports whether this process was started by this package to run functions. It may be asked before Main, by
// initialisation that workers do not need.
func IsWorker() bool { return os.Getenv(environment) != "" || Current().Depth > 0 }

// Main runs the program and returns its exit status. In a process that was started by this package it serves the parent
// instead, and run is not called.
//
// After run, Main waits for processes that are not daemons and kills the others, with all pools. A panic in run goes on
// to the caller when that is done.
func Main(run func() int) int {
	if os.Getenv(environment) != "" {
		return serveParent()
	}
	self.mu.Lock()
	self.info = Info{Name: "main", PID: os.Getpid()}
	self.mu.Unlock()
	self.ready.Store(true)
	defer endChildren()
	return run()
}

// allowed says whether this process may start another.
func allowed() error {
	if !self.ready.Load() {
		return ErrNoMain
	}
	me := Current()
	switch {
	case me.Daemon:
		return ErrDaemonChild
	case me.Depth >= maxDepth:
		return fmt.Errorf("%w: %d", ErrTooDeep, me.Depth)
	default:
		return nil
	}
}

// children are the live child processes.
var children struct {
	sync.Mutex
	all    map[*Child]bool
	serial atomic.Int64
}

// Children returns the child processes of this one that have not ended, in no particular order.
func Children() []*Child {
	children.Lock()
	defer children.Unlock()
	var live []*Child
	for c := range children.all {
		live = append(live, c)
	}
	return live
}

// endChildren kills daemons and waits for the others.
func endChildren() {
	for _, c := range Children() {
		if c.disposable {
			c.Kill()
		}
	}
	for _, c := range Children() {
		<-c.done
	}
}

// nextName returns the name of a process that was given none.
func nextName() string { return fmt.Sprintf("process-%d", children.serial.Add(1)) }

const (
	defaultGrace = 50 * time.Millisecond
	endOfOutput  = time.Second // how long output is copied after the end of a process
)
