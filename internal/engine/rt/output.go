package rt

import (
	"io"
	"sync"
)

// output keeps the text of printf until a flush. Like CUDA's it has a fixed size, and what is oldest is lost when newer
// text needs the room.
type output struct {
	limit int

	mu      sync.Mutex
	text    []byte
	lengths []int // of the pieces in text, oldest first
	lost    int
}

func (o *output) add(piece []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(piece) > o.limit {
		piece = piece[:o.limit]
	}
	drop, n := 0, 0
	for len(o.text)-drop+len(piece) > o.limit && n < len(o.lengths) {
		drop += o.lengths[n]
		n++
	}
	if n > 0 {
		// Make more room than needed, so that a kernel that prints without end does not move the buffer each time.
		for n < len(o.lengths) && drop < o.limit/8 {
			drop += o.lengths[n]
			n++
		}
		o.text = append(o.text[:0], o.text[drop:]...)
		o.lengths = append(o.lengths[:0], o.lengths[n:]...)
		o.lost += n
	}
	o.text = append(o.text, piece...)
	o.lengths = append(o.lengths, len(piece))
}

// Flush writes what kernels printed since the last flush and forgets it, also if w fails or is nil.
func (r *Runtime) Flush(w io.Writer) error {
	o := &r.output
	o.mu.Lock()
	text := o.text
	o.text, o.lengths = nil, nil
	o.mu.Unlock()
	if w == nil || len(text) == 0 {
		return nil
	}
	_, err := w.Write(text)
	return err
}

// Lost is the number of calls of printf whose text was dropped because the buffer was full.
func (r *Runtime) Lost() int {
	r.output.mu.Lock()
	defer r.output.mu.Unlock()
	return r.output.lost
}

// SetPrintfBytes changes how much text is kept between flushes. What is there already stays.
func (r *Runtime) SetPrintfBytes(n int) {
	r.output.mu.Lock()
	defer r.output.mu.Unlock()
	r.output.limit = n
}
