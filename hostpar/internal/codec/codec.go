// Package codec turns Go values into bytes and back, between processes that run the same program.
//
// Numbers, arrays and structs without pointers, and slices of them, are copied as they lie in memory. Everything else is
// written element by element, by a plan that is made once for each type; no message depends on an earlier one. Both
// sides must have the same types in the same layout, as two processes of one binary have; Signature tells.
//
// All fields of a struct are carried, exported or not. A type with MarshalBinary and UnmarshalBinary, or GobEncode and
// GobDecode, is carried by these methods; a Handle carries itself and the files it stands on. Channels, functions and
// unsafe pointers are refused when the plan is made. Pointers are followed: what two pointers share is copied twice.
package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"reflect"
)

// ErrType reports a type that cannot be carried to another process.
var ErrType = errors.New("type cannot be passed to another process")

// ErrCorrupt reports bytes that are not the encoding of the type.
var ErrCorrupt = errors.New("corrupt message")

// ErrDepth reports a value that is nested too deeply, which is what a cycle of pointers is.
var ErrDepth = errors.New("value is nested too deeply, or refers to itself")

// maxDepth bounds the nesting of pointers, slices, maps and interfaces.
const maxDepth = 10_000

// Handle is implemented by pointers to types that stand for something outside of memory, such as a shared segment.
type Handle interface {
	// EncodeHandle appends the value, and the files that the other process needs.
	EncodeHandle(e *Encoder) error
	// DecodeHandle makes the receiver a handle of the same thing.
	DecodeHandle(d *Decoder) error
}

// Encoder collects a message. The zero value is empty.
type Encoder struct {
	// Buf holds the bytes so far.
	Buf []byte
	// Files are to be passed along with the bytes. They stay the property of who added them until the message is sent.
	Files []*os.File
	// Sent is to be called when the message is on its way, once.
	Sent []func()

	depth int
}

// Reset makes the encoder empty and keeps its memory.
func (e *Encoder) Reset() {
	e.Sent = nil
	e.Buf = e.Buf[:0]
	clear(e.Files)
	e.Files = e.Files[:0]
}

// Uint64 appends a number of eight bytes.
func (e *Encoder) Uint64(x uint64) { e.Buf = binary.LittleEndian.AppendUint64(e.Buf, x) }

// Uvarint appends a number of one to ten bytes.
func (e *Encoder) Uvarint(x uint64) { e.Buf = binary.AppendUvarint(e.Buf, x) }

// String appends a string with its length.
func (e *Encoder) String(s string) {
	e.Uvarint(uint64(len(s)))
	e.Buf = append(e.Buf, s...)
}

// Bytes appends bytes with their length.
func (e *Encoder) Bytes(b []byte) {
	e.Uvarint(uint64(len(b)))
	e.Buf = append(e.Buf, b...)
}

// File adds a file; the same one is passed once.
func (e *Encoder) File(f *os.File) {
	for i, g := range e.Files {
		if f == g {
			e.Uvarint(uint64(i))
			return
		}
	}
	e.Uvarint(uint64(len(e.Files)))
	e.Files = append(e.Files, f)
}

// Decoder reads a message.
type Decoder struct {
	buf   []byte
	files []*os.File
	depth int
}

// NewDecoder returns a decoder of one message. The bytes are not changed, and nothing decoded refers to them. Files
// belong to the decoder; Close closes them.
func NewDecoder(buf []byte, files []*os.File) *Decoder {
	return &Decoder{buf: buf, files: files}
}

// Len returns how many bytes are left.
func (d *Decoder) Len() int { return len(d.buf) }

// Close closes the files.
func (d *Decoder) Close() {
	for _, f := range d.files {
		_ = f.Close() // it was opened for us alone, and nothing was written
	}
	d.files = nil
}

// Uint64 reads a number of eight bytes.
func (d *Decoder) Uint64() (uint64, error) {
	b, err := d.next(8)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(b), nil
}

// Uvarint reads a number written by Encoder.Uvarint.
func (d *Decoder) Uvarint() (uint64, error) {
	x, n := binary.Uvarint(d.buf)
	if n <= 0 {
		return 0, ErrCorrupt
	}
	d.buf = d.buf[n:]
	return x, nil
}

// String reads a string.
func (d *Decoder) String() (string, error) {
	b, err := d.Bytes()
	return string(b), err
}

// Bytes reads bytes, which alias the message.
func (d *Decoder) Bytes() ([]byte, error) {
	n, err := d.Uvarint()
	if err != nil {
		return nil, err
	}
	return d.next(n)
}

// File returns a file of the message, opened once more for the caller.
func (d *Decoder) File() (*os.File, error) {
	i, err := d.Uvarint()
	if err != nil {
		return nil, err
	}
	if i >= uint64(len(d.files)) {
		return nil, fmt.Errorf("%w: file %d of %d", ErrCorrupt, i, len(d.files))
	}
	return duplicate(d.files[i])
}

// Rest returns the bytes that are left and ends the message.
func (d *Decoder) Rest() []byte {
	b := d.buf
	d.buf = nil
	return b
}

func (d *Decoder) next(n uint64) ([]byte, error) {
	if n > uint64(len(d.buf)) {
		return nil, ErrCorrupt
	}
	b := d.buf[:n:n]
	d.buf = d.buf[n:]
	return b, nil
}

// length reads the length of something whose elements take at least least bytes each.
func (d *Decoder) length(n uint64, least int) (int, error) {
	if least > 0 && n > uint64(len(d.buf)/least) || n > 1<<40 {
		return 0, ErrCorrupt
	}
	return int(n), nil
}

// Codec carries values of one type. Make it with Of; it may be used by any number of goroutines.
type Codec[T any] struct{ plan *plan }

// Of returns the codec of a type, or ErrType with the path of what cannot be carried.
func Of[T any]() (Codec[T], error) {
	p, err := planOf(reflect.TypeFor[T]())
	return Codec[T]{p}, err
}

// Flat reports whether values are copied as they lie in memory.
func (c Codec[T]) Flat() bool { return c.plan.flat }

// Signature is a hash of the type's structure: its kinds, names of fields and sizes.
func (c Codec[T]) Signature() uint64 { return Signature(reflect.TypeFor[T]()) }
