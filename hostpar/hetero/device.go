package hetero

import (
	"context"
	"hash/fnv"
	"sync"
	"time"

	"github.com/tandem-go/tandem/hostpar/hetero/trace"
)

// Device is something that can do chunks of a job: OnCUDA, OnCPU, or a test's own. Its methods may be called from any
// goroutine.
type Device interface {
	// Info describes the device. It does not change.
	Info() Info
	// Prepare gets ready for a job: it compiles, allocates, and copies what all chunks need. An error takes the device out
	// of the run, with the error as the reason.
	Prepare(ctx context.Context, j *Job) (Feed, error)
}

// Info describes a device.
type Info struct {
	// ID is the same in every process that sees the device: what was learned is kept under it. Name is for people.
	ID, Name string
	// Lanes is how many chunks it works on at the same time, so that copies of one run beside the kernel of another;
	// below 1 it is 1.
	Lanes int
	// Overhead is what a chunk costs whatever its size, until runs have measured it.
	Overhead time.Duration
	// InPlace says that chunks write the program's memory while they run, and so cannot be taken back while they do.
	InPlace bool
}

// Feed is a device at work on a job.
type Feed interface {
	// Do does one chunk and returns when it is done, or when ctx has ended, which says that nobody wants it any more.
	// lane is below Info.Lanes, and there is one call at a time for each. A device that is not InPlace reads the program's
	// memory in Task.Snapshot only and writes it in Task.Commit only. An error that wraps ErrDeviceLost takes the device
	// out of the run; another one fails the chunk, which is tried elsewhere.
	Do(ctx context.Context, lane int, t *Task) error
	// Close frees what Prepare made. It is called once, when no call of Do is under way.
	Close() error
}

// Job is what a device is to work on.
type Job struct {
	kernel *Kernel
	layout layout
	args   []Arg
	shared int
	alone  bool   // there is one device only
	costs  *costs // nil if all units cost the same
}

// Items is how many items the job has.
func (j *Job) Items() int { return j.layout.items }

// Task is one chunk, given to one device.
type Task struct {
	run    *run
	device int
	lane   int
	id     uint64
	span   Range // items
	work   remain
	why    string
	issued time.Duration
	due    time.Duration // when it counts as hung
	warned bool          // an in-place body that was told to stop
	noted  bool          // the device told the parts
	stop   context.CancelFunc

	trial  bool // the results are digested and thrown away
	digest uint64
	summed bool // digest was made

	claim   *claim
	own     claim // claim points here unless another device tries the same items
	revoked bool  // guarded by claim.mu
	won     bool  // guarded by claim.mu: this attempt counts
	tried   bool  // guarded by claim.mu: the trial is over
}

// claim is the right to commit items. Attempts on several devices share it; one gets it.
type claim struct {
	mu        sync.Mutex
	committed bool
	attempts  int // under way, guarded by run.mu
}

// Range returns the items to do.
func (t *Task) Range() Range { return t.span }

// Trial reports whether the chunk is done only to see what comes out: Commit calls nothing. A device that works in place
// must put back what it changed.
func (t *Task) Trial() bool { return t.trial }

// Watched reports whether the results are to be compared with another device's, by Digest.
func (t *Task) Watched() bool { return t.trial || t.work.expect != nil }

// Digest is called before Commit if the chunk is Watched, with a function that hands on the bytes of all results, in the
// order of arguments and items.
func (t *Task) Digest(results func(add func([]byte))) {
	h := fnv.New64a()
	results(func(b []byte) { _, _ = h.Write(b) }) // never fails
	t.digest, t.summed = h.Sum64(), true
}

// Snapshot calls f, which reads the program's memory, unless the chunk was taken back; then it returns ErrRevoked. While f
// runs, nobody else is given the chunk's items.
func (t *Task) Snapshot(f func() error) error {
	t.claim.mu.Lock()
	defer t.claim.mu.Unlock()
	if t.revoked || t.claim.committed {
		return ErrRevoked
	}
	return f()
}

// Commit calls f, which writes the program's memory, and makes the chunk done; f may be nil. It returns ErrRevoked, and
// does not call f, if the chunk was taken back or committed before, by this device or another. If f returns an error the
// chunk is not done.
func (t *Task) Commit(f func() error) error {
	t.claim.mu.Lock()
	defer t.claim.mu.Unlock()
	if t.revoked || t.claim.committed || t.tried {
		return ErrRevoked
	}
	if t.trial {
		t.tried = true
		return nil
	}
	if e := t.work.expect; e != nil && t.summed && e.digest != t.digest {
		return &ShadowError{Range: t.span, Devices: [2]string{t.run.devices[e.device].info.Name, t.run.devices[t.device].info.Name}}
	}
	if f != nil {
		if err := f(); err != nil {
			return err
		}
	}
	t.claim.committed, t.won = true, true
	return nil
}

// revoke takes the chunk back and reports whether it did: it comes too late for one that is over.
func (t *Task) revoke() bool {
	t.claim.mu.Lock()
	defer t.claim.mu.Unlock()
	if t.won || t.tried || t.revoked {
		return false
	}
	t.revoked = true
	return true
}

// result is how an attempt ended: it counts, or was a trial that succeeded, or came after another one that counts.
func (t *Task) result() (won, tried, late bool) {
	t.claim.mu.Lock()
	defer t.claim.mu.Unlock()
	return t.won, t.tried, t.claim.committed && !t.won
}

// Now is the time since the run began, for Note.
func (t *Task) Now() time.Duration { return t.run.now() }

// Note tells that the device spent the time since start on one part of the chunk, for report and trace, and returns now.
func (t *Task) Note(k trace.Kind, start time.Duration) time.Duration {
	end := t.run.now()
	t.noted = true
	t.run.parts[t.device].add(k, end-start)
	if t.run.trace != nil {
		t.run.trace.Span(trace.Span{Device: t.device, Lane: t.lane, Kind: k, Lo: t.span.Lo, Hi: t.span.Hi, Start: start, End: end, Chunk: t.id, Why: t.why})
	}
	return end
}
