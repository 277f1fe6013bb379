package proc

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/tandem-go/tandem/hostpar/internal/codec"
	"github.com/tandem-go/tandem/hostpar/shm"
)

// Shared is a value that was encoded once, for many tasks in many processes: pass it as an argument, or as a part of one.
// A task gets a file descriptor and not the bytes, and each process decodes the value once, when a task first asks for
// it. Make it with Broadcast.
//
// Every process has a copy of its own. To have large arrays of numbers once in all, use shm.Array.
type Shared[T any] struct {
	id    string
	mem   *shm.Array[byte] // nil where there is no shared memory
	bytes []byte           // then these go with each message
	made  *T               // in the process that has made it
}

// Broadcast encodes x. Neither x nor what it refers to may be changed afterwards. On systems without shared memory the
// bytes are sent with each message.
func Broadcast[T any](x T) (*Shared[T], error) {
	b, err := encoded(x)
	if err != nil {
		return nil, fmt.Errorf("proc: broadcast: %w", err)
	}
	s := &Shared[T]{id: randomText(), made: &x}
	s.mem, err = shm.NewArray[byte](len(b))
	switch {
	case errors.Is(err, shm.ErrNotSupported):
		s.mem, s.bytes = nil, b
	case err != nil:
		return nil, fmt.Errorf("proc: broadcast: %w", err)
	default:
		copy(s.mem.Slice(), b)
	}
	return s, nil
}

// keptBroadcasts is how many decoded values a process keeps for the next task.
const keptBroadcasts = 16

// broadcasts are the values that this process has decoded, the last used at the end.
var broadcasts struct {
	sync.Mutex
	kept []*broadcast
}

// broadcast is a value that is decoded by the first who wants it.
type broadcast struct {
	id    string
	once  sync.Once
	value any
	err   error
}

// broadcastOf returns the value of an id, which may not be decoded yet.
func broadcastOf(id string) *broadcast {
	broadcasts.Lock()
	defer broadcasts.Unlock()
	i := slices.IndexFunc(broadcasts.kept, func(b *broadcast) bool { return b.id == id })
	b := &broadcast{id: id}
	switch {
	case i >= 0:
		b = broadcasts.kept[i]
		broadcasts.kept = slices.Delete(broadcasts.kept, i, i+1)
	case len(broadcasts.kept) == keptBroadcasts:
		broadcasts.kept = slices.Delete(broadcasts.kept, 0, 1)
	}
	broadcasts.kept = append(broadcasts.kept, b)
	return b
}

// Value returns the value. It belongs to all tasks of the process: it must not be changed. A process keeps the sixteen
// that were used last.
func (s *Shared[T]) Value() (T, error) {
	if s.made != nil {
		return *s.made, nil
	}
	if s.id == "" {
		var zero T
		return zero, fmt.Errorf("%w: a Shared is made with Broadcast", codec.ErrType)
	}
	b := broadcastOf(s.id)
	b.once.Do(func() {
		bytes := s.bytes
		if s.mem != nil {
			bytes = s.mem.Slice()
		}
		b.value, b.err = decoded[T](bytes)
	})
	x, _ := b.value.(T) // a nil interface is one, too
	return x, b.err
}

// EncodeHandle is for messages between processes.
func (s *Shared[T]) EncodeHandle(e *codec.Encoder) error {
	if s.id == "" {
		return fmt.Errorf("%w: a Shared is made with Broadcast", codec.ErrType)
	}
	e.String(s.id)
	e.Uvarint(flag(s.mem != nil))
	if s.mem != nil {
		return s.mem.EncodeHandle(e)
	}
	e.Bytes(s.bytes)
	return nil
}

// DecodeHandle is for messages between processes.
func (s *Shared[T]) DecodeHandle(d *codec.Decoder) (err error) {
	if s.id, err = d.String(); err != nil {
		return err
	}
	inMemory, err := d.Uvarint()
	if err != nil {
		return err
	}
	if inMemory != 0 {
		s.mem = new(shm.Array[byte])
		return s.mem.DecodeHandle(d)
	}
	b, err := d.Bytes()
	s.bytes = slices.Clone(b)
	return err
}
