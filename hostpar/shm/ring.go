package shm

import (
	"context"
	"encoding/binary"
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/tandem-go/tandem/hostpar/internal/codec"
	"github.com/tandem-go/tandem/hostpar/par"
)

// Places of a ring's words: what different sides write lies on different cache lines.
const (
	ringTail     = 1 * line // bytes ever put; producers write it
	ringHead     = 2 * line // bytes ever taken; consumers write it
	ringPutLock  = 3 * line
	ringGetLock  = 4 * line
	ringReadable = 5 * line // changes when sleeping consumers are to look again
	ringReaders  = ringReadable + 4
	ringWritable = 6 * line // changes when sleeping producers are to look again
	ringWriters  = ringWritable + 4
	ringClosed   = 7 * line
	ringUnjoined = 8 * line // messages that were put and not said to be done
	ringData     = 4096

	messageHeader = 8
)

// Ring hands messages from any number of producers to any number of consumers in any processes, each to one of them, in
// the order they were put. Make it with NewRing.
//
// A message is there for others as soon as Put returns, without a system call unless somebody sleeps. A process that is
// killed at any moment leaves the ring whole: a message is put entirely or not at all, and one that was being taken is
// taken by another; a message that was taken is lost with its taker.
type Ring struct {
	s        *Segment
	data     []byte
	size     uint64
	tail     *atomic.Uint64
	head     *atomic.Uint64
	put, get lock
	readable *atomic.Uint32
	readers  *atomic.Uint32 // 1 if a consumer may sleep
	writable *atomic.Uint32
	writers  *atomic.Uint32
	closed   *atomic.Uint32

	// What this process has seen of the other side's place, under its own side's lock. Places only grow, so an old one is on
	// the safe side, and looking is what costs: the other side's cache line.
	seenHead, seenTail uint64
}

// NewRing makes an empty ring for messages of size bytes together, each with eight bytes more and rounded up to a multiple
// of eight. The size is rounded up to a power of two of at least 4096.
func NewRing(size int) (*Ring, error) {
	if size > 1<<40 {
		return nil, fmt.Errorf("shm: ring of %d bytes", size)
	}
	n := 4096
	for n < size {
		n *= 2
	}
	s, err := NewSegment(ringData + n)
	if err != nil {
		return nil, err
	}
	return ringIn(s), nil
}

func ringIn(s *Segment) *Ring {
	return &Ring{
		s: s, data: s.mem[ringData:], size: uint64(s.Len() - ringData),
		tail: s.word64(ringTail), head: s.word64(ringHead), put: s.lock(ringPutLock), get: s.lock(ringGetLock),
		readable: s.word32(ringReadable), readers: s.word32(ringReaders), writable: s.word32(ringWritable), writers: s.word32(ringWriters),
		closed: s.word32(ringClosed),
	}
}

func footprint(n int) uint64 { return messageHeader + (uint64(n)+7)&^7 }

// Put adds a message, waiting for room. It returns ErrClosed if the ring is closed, ErrTooLarge if it can never fit.
func (r *Ring) Put(ctx context.Context, message []byte) error {
	for {
		err := r.attemptPut(ctx, message)
		if err != par.ErrFull { //nolint:errorlint // it is ours
			return err
		}
		if err := r.awaitRoom(ctx, footprint(len(message))); err != nil {
			return err
		}
	}
}

// TryPut adds a message if there is room, or returns par.ErrFull. It waits only for those who are putting one.
func (r *Ring) TryPut(message []byte) error { return r.attemptPut(context.Background(), message) }

func (r *Ring) attemptPut(ctx context.Context, message []byte) error {
	defer runtime.KeepAlive(r)
	need := footprint(len(message))
	if need > r.size {
		return fmt.Errorf("%w: %d bytes, ring of %d", ErrTooLarge, len(message), r.size)
	}
	if _, err := r.put.acquire(ctx); err != nil { // whoever died here left nothing but bytes beyond the tail
		return err
	}
	if r.closed.Load() != 0 {
		return orUnlock(ErrClosed, r.put)
	}
	t := r.tail.Load()
	if t+need-r.seenHead > r.size {
		if r.seenHead = r.head.Load(); t+need-r.seenHead > r.size {
			return orUnlock(par.ErrFull, r.put)
		}
	}
	at := t & (r.size - 1)
	binary.LittleEndian.PutUint64(r.data[at:], uint64(len(message)))
	r.copyIn(t+messageHeader, message)
	r.tail.Store(t + need)
	err := r.put.release()
	if r.readers.Load() != 0 {
		r.readers.Store(0)
		r.readable.Add(1)
		wakeAll(r.readable)
	}
	return err
}

// orUnlock releases a lock that is held and returns err.
func orUnlock(err error, l lock) error {
	if unlock := l.release(); unlock != nil {
		return unlock
	}
	return err
}

func (r *Ring) awaitRoom(ctx context.Context, need uint64) error {
	defer runtime.KeepAlive(r)
	full := func() bool { return r.tail.Load()+need-r.head.Load() > r.size && r.closed.Load() == 0 }
	return await(ctx, full, r.writers, r.writable)
}

// await sleeps while blocked. The flag tells the other side that somebody does, the word changes when it wants us to look.
func await(ctx context.Context, blocked func() bool, flag, word *atomic.Uint32) error {
	for i := range spins {
		if !blocked() {
			return nil
		}
		if i%8 == 7 { // the other side may be a goroutine that has no thread while this one spins or sleeps
			runtime.Gosched()
		}
	}
	seen := word.Load()
	flag.Store(1)
	if !blocked() { // it was not told
		return nil
	}
	return sleep(ctx, word, seen)
}

// Get takes the next message, waiting for one, and appends it to buf. It returns ErrClosed when the ring is closed and
// empty.
func (r *Ring) Get(ctx context.Context, buf []byte) ([]byte, error) {
	for {
		message, err := r.attemptGet(ctx, buf)
		if err != par.ErrEmpty { //nolint:errorlint // it is ours
			return message, err
		}
		empty := func() bool { return r.tail.Load() == r.head.Load() && r.closed.Load() == 0 }
		err = await(ctx, empty, r.readers, r.readable)
		runtime.KeepAlive(r)
		if err != nil {
			return buf, err
		}
	}
}

// TryGet takes the next message if there is one, or returns par.ErrEmpty, and appends it to buf. It waits only for those
// who are taking one.
func (r *Ring) TryGet(buf []byte) ([]byte, error) { return r.attemptGet(context.Background(), buf) }

func (r *Ring) attemptGet(ctx context.Context, buf []byte) ([]byte, error) {
	defer runtime.KeepAlive(r)
	if _, err := r.get.acquire(ctx); err != nil { // whoever died here has taken its message or not
		return buf, err
	}
	h := r.head.Load()
	if r.seenTail <= h { // below it if others have taken what we saw
		closed := r.closed.Load() != 0 // before the tail: what was put before Close is seen
		if r.seenTail = r.tail.Load(); r.seenTail == h {
			if closed {
				return buf, orUnlock(ErrClosed, r.get)
			}
			return buf, orUnlock(par.ErrEmpty, r.get)
		}
	}
	t := r.seenTail
	n := binary.LittleEndian.Uint64(r.data[h&(r.size-1):])
	if n > r.size || footprint(int(n)) > t-h {
		return buf, orUnlock(fmt.Errorf("shm: ring: %w: message of %d bytes", codec.ErrCorrupt, n), r.get)
	}
	message := r.copyOut(h+messageHeader, buf, int(n))
	h += footprint(int(n))
	r.head.Store(h)
	err := r.get.release()
	if r.writers.Load() != 0 && t-h <= r.size/2 { // not for each message, as producers would sleep again at once
		r.writers.Store(0)
		r.writable.Add(1)
		wakeAll(r.writable)
	}
	return message, err
}

func (r *Ring) copyIn(at uint64, b []byte) {
	n := copy(r.data[at&(r.size-1):], b)
	copy(r.data, b[n:])
}

func (r *Ring) copyOut(at uint64, buf []byte, n int) []byte {
	i := int(at & (r.size - 1))
	if first := len(r.data) - i; n > first {
		return append(append(buf, r.data[i:]...), r.data[:n-first]...)
	}
	return append(buf, r.data[i:i+n]...)
}

// Close lets no further message in. Those inside are still given out. Closing again does nothing.
func (r *Ring) Close() {
	defer runtime.KeepAlive(r)
	r.closed.Store(1)
	for _, word := range []*atomic.Uint32{r.readable, r.writable} {
		word.Add(1)
		wakeAll(word)
	}
}

// Closed reports whether the ring was closed.
func (r *Ring) Closed() bool { return r.closed.Load() != 0 }

// Len returns how many messages are in the ring. It walks through them while nobody takes one.
func (r *Ring) Len(ctx context.Context) (int, error) {
	if _, err := r.get.acquire(ctx); err != nil {
		return 0, err
	}
	defer runtime.KeepAlive(r)
	n := 0
	t := r.tail.Load()
	for h := r.head.Load(); h < t; n++ {
		h += footprint(int(binary.LittleEndian.Uint64(r.data[h&(r.size-1):])))
	}
	return n, r.get.release()
}

// EncodeHandle is for package proc.
func (r *Ring) EncodeHandle(e *codec.Encoder) error { return r.s.EncodeHandle(e) }

// DecodeHandle is for package proc.
func (r *Ring) DecodeHandle(d *codec.Decoder) error {
	s, err := decodeSegment(d, ringData+4096)
	if err != nil {
		return err
	}
	if n := s.Len() - ringData; n&(n-1) != 0 {
		return codec.ErrCorrupt
	}
	*r = *ringIn(s)
	return nil
}
