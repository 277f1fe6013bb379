package hetero

import (
	"context"
	"sync"

	"github.com/tandem-go/tandem/cuda"
)

// memory is the elements of an argument: a slice of the program, or a buffer of one device. It knows which devices have
// copies of which of them, so that a second run moves only what changed.
type memory[T cuda.Element] struct {
	data     []T
	buffer   *cuda.Buffer[T]
	resident bool // a buffer was meant

	mu   sync.Mutex
	held map[holder]*spans
}

// holder is a device's copy of a memory, anything that tells it from others.
type holder any

func (m *memory[T]) len() int {
	if m.buffer != nil {
		return m.buffer.Len()
	}
	return len(m.data)
}

// read copies elements into dst.
func (m *memory[T]) read(dst []T, r Range) error {
	if m.buffer == nil {
		copy(dst, m.data[r.Lo:r.Hi])
		return nil
	}
	b, err := m.buffer.Slice(r.Lo, r.Hi)
	if err != nil {
		return err
	}
	return b.CopyTo(context.Background(), dst[:r.Hi-r.Lo])
}

// write copies src over elements.
func (m *memory[T]) write(r Range, src []T) error {
	if m.buffer == nil {
		copy(m.data[r.Lo:r.Hi], src)
		return nil
	}
	b, err := m.buffer.Slice(r.Lo, r.Hi)
	if err != nil {
		return err
	}
	return b.CopyFrom(context.Background(), src[:r.Hi-r.Lo])
}

// missing appends what the holder does not have of the elements.
func (m *memory[T]) missing(h holder, out []Range, r Range) []Range {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.held[h]; s != nil {
		return s.missing(out, r)
	}
	if r.Lo < r.Hi {
		out = append(out, r)
	}
	return out
}

// hold notes that the holder has the elements.
func (m *memory[T]) hold(h holder, r Range) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.held[h]
	if s == nil {
		if m.held == nil {
			m.held = map[holder]*spans{}
		}
		s = new(spans)
		m.held[h] = s
	}
	s.add(r)
}

// wrote notes that the elements have changed, and that at most the holder has them; nil is the program.
func (m *memory[T]) wrote(h holder, r Range) {
	m.mu.Lock()
	for other, s := range m.held {
		if other != h {
			s.remove(r)
		}
	}
	m.mu.Unlock()
	if h != nil {
		m.hold(h, r)
	}
}

// lose notes that the holder does not have the elements any more.
func (m *memory[T]) lose(h holder, r Range) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.held[h]; s != nil {
		s.remove(r)
	}
}

// forget is lose for all elements.
func (m *memory[T]) forget(h holder) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.held, h)
}
