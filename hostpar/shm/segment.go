package shm

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"sync"
	"weak"

	"github.com/tandem-go/tandem/hostpar/internal/codec"
	"github.com/tandem-go/tandem/hostpar/internal/futex"
	"github.com/tandem-go/tandem/hostpar/par"
)

var (
	// ErrNotSupported reports that this system has no shared memory that the package can use.
	ErrNotSupported = errors.New("shm: shared memory is not supported on this system")
	// ErrType reports a type that holds pointers, or does not fit the segment.
	ErrType = errors.New("shm: type cannot be kept in shared memory")
	// ErrClosed reports the use of something closed. It is also par.ErrClosed.
	ErrClosed = fmt.Errorf("shm: %w", par.ErrClosed)
	// ErrNotLocked reports the release of a lock that this process does not hold. It is also par.ErrNotLocked.
	ErrNotLocked = fmt.Errorf("shm: %w", par.ErrNotLocked)
	// ErrBrokenBarrier reports that a party of a barrier has given up. It is also par.ErrBrokenBarrier.
	ErrBrokenBarrier = fmt.Errorf("shm: %w", par.ErrBrokenBarrier)
	// ErrTooLarge reports a message that a ring can never hold.
	ErrTooLarge = errors.New("shm: message is larger than the ring")
)

// Segment is shared memory without a structure, filled with zeros at first. It stays mapped until nobody in this process
// refers to it any more, or to an object in it.
type Segment struct {
	file *os.File
	mem  []byte
	me   futex.ID
}

// NewSegment makes shared memory of the given size in bytes.
func NewSegment(size int) (*Segment, error) {
	if size < 1 {
		return nil, fmt.Errorf("shm: new segment: size %d", size)
	}
	f, err := createFile(size)
	if err != nil {
		return nil, fmt.Errorf("shm: new segment of %d bytes: %w", size, err)
	}
	return mapFile(f)
}

// Named opens the segment of a name, for processes that are not related, or makes it. The name is one of a file, without
// slashes; Remove removes it. It must have the same size for all.
func Named(name string, size int) (*Segment, error) {
	if size < 1 {
		return nil, fmt.Errorf("shm: segment %q: size %d", name, size)
	}
	f, err := openNamed(name, size)
	if err != nil {
		return nil, fmt.Errorf("shm: segment %q: %w", name, err)
	}
	return mapFile(f)
}

// mapped are the segments of this process, so that one that arrives again is not mapped again.
var mapped struct {
	sync.Mutex
	m map[fileKey]weak.Pointer[Segment]
}

// fileKey tells files apart.
type fileKey struct{ device, inode uint64 }

// mapFile maps a file, which it owns, or returns the segment that is mapped already.
func mapFile(f *os.File) (*Segment, error) {
	me, err := futex.Self()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	key, err := keyOf(f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	mapped.Lock()
	defer mapped.Unlock()
	if s := mapped.m[key].Value(); s != nil {
		return s, f.Close()
	}
	mem, err := mapMemory(f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	s := &Segment{file: f, mem: mem, me: me}
	if mapped.m == nil {
		mapped.m = map[fileKey]weak.Pointer[Segment]{}
	}
	mapped.m[key] = weak.Make(s)
	runtime.AddCleanup(s, unmap, mapping{key, mem})
	return s, nil
}

// mapping is what remains to be done when nobody refers to a segment.
type mapping struct {
	key fileKey
	mem []byte
}

func unmap(m mapping) {
	mapped.Lock()
	defer mapped.Unlock()
	if mapped.m[m.key].Value() == nil { // and not a successor
		delete(mapped.m, m.key)
	}
	unmapMemory(m.mem)
}

// Len returns the size in bytes.
func (s *Segment) Len() int { return len(s.mem) }

// Bytes returns the memory. The slice is valid as long as the segment is referred to: keep s, and call
// runtime.KeepAlive(s) after the last use.
func (s *Segment) Bytes() []byte { return s.mem }

// EncodeHandle is for package proc.
func (s *Segment) EncodeHandle(e *codec.Encoder) error {
	if s.file == nil {
		return ErrClosed
	}
	e.File(s.file)
	return nil
}

// DecodeHandle is for package proc.
func (s *Segment) DecodeHandle(*codec.Decoder) error {
	return fmt.Errorf("%w: pass *shm.Segment, not shm.Segment", ErrType)
}

// decodeSegment takes a segment from a message.
func decodeSegment(d *codec.Decoder, least int) (*Segment, error) {
	f, err := d.File()
	if err != nil {
		return nil, err
	}
	s, err := mapFile(f)
	if err != nil {
		return nil, err
	}
	if s.Len() < least {
		return nil, fmt.Errorf("%w: %d bytes for %d", codec.ErrCorrupt, s.Len(), least)
	}
	return s, nil
}

// plain reports what of a type holds pointers.
func plain(t reflect.Type) error {
	switch t.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16,
		reflect.Uint32, reflect.Uint64, reflect.Uintptr, reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		return nil
	case reflect.Array:
		return plain(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if err := plain(t.Field(i).Type); err != nil {
				return fmt.Errorf("field %s: %w", t.Field(i).Name, err)
			}
		}
		return nil
	default:
		return fmt.Errorf("%w: %v holds pointers", ErrType, t)
	}
}
