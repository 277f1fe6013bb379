package proc

import (
	"os"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// page is memory in which a worker notes what it is doing, for its parent to read when it has died or hangs.
type page struct {
	file *os.File

	mu  sync.Mutex // of the parent, whose goroutines may look when another one closes the page
	mem []byte     // nil when closed
}

const pageSize = 4096

// newPage returns a page, or nil.
func newPage() *page {
	fd, err := unix.MemfdCreate("tandem-worker", unix.MFD_CLOEXEC)
	if err != nil {
		return nil
	}
	f := os.NewFile(uintptr(fd), "page")
	if err := f.Truncate(pageSize); err != nil {
		_ = f.Close() // nothing was written
		return nil
	}
	p, err := openPage(f)
	if err != nil {
		_ = f.Close() // nothing was written
		return nil
	}
	return p
}

func openPage(f *os.File) (*page, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	p := &page{file: f}
	controlErr := raw.Control(func(fd uintptr) {
		p.mem, err = unix.Mmap(int(fd), 0, pageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	})
	if controlErr != nil {
		return nil, controlErr
	}
	return p, os.NewSyscallError("mmap", err)
}

// close may be called on a nil page.
func (p *page) close() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mem != nil {
		_ = p.file.Close()     // only its mapping was used
		_ = unix.Munmap(p.mem) // it was mapped
		p.mem = nil
	}
}

func (p *page) word(i uintptr) *uint64 { return (*uint64)(unsafe.Pointer(&p.mem[8*i])) }

// sendingItem stands for the results, when they are being sent.
const sendingItem = ^uint64(1)

// begin notes that an item of a call begins. It is called for each item, by one goroutine, and nobody of this process
// reads the page: plain stores will do, as what was stored before the end of the process is there afterwards.
func (p *page) begin(call uint64, item int) {
	if p != nil {
		*p.word(1) = uint64(item)
		*p.word(0) = call
	}
}

// send notes that all items of a call are done and results are on their way.
func (p *page) send() {
	if p != nil {
		*p.word(1) = sendingItem
	}
}

// idle notes that nothing runs.
func (p *page) idle() {
	if p != nil {
		*p.word(0) = 0
	}
}

// look returns what the page says; all is 0 if it is closed, or nil.
func (p *page) look() (at place) {
	if p == nil {
		return at
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mem == nil {
		return at
	}
	return place{atomic.LoadUint64(p.word(0)), atomic.LoadUint64(p.word(1))}
}

// at returns the call, never 0, and the item that runs; ok is false if nothing runs or nothing is known.
func (p *page) at() (at place, ok bool) {
	at = p.look()
	return at, at.call != 0 && at.item != sendingItem
}

// sending reports whether results are on their way.
func (p *page) sending() bool {
	at := p.look()
	return at.call != 0 && at.item == sendingItem
}
