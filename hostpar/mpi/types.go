package mpi

import "reflect"

// Number is the element of buffers: MPI's arithmetic types under their Go names. An int is one of 32 or 64 bits as on
// this machine.
type Number interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64 |
		~complex64 | ~complex128
}

// Ranks and tags with a meaning of their own.
const (
	// AnySource, as the source of Recv, Irecv, Probe and RecvAny, matches a message from any rank.
	AnySource = -1
	// AnyTag, as the tag of Recv, Irecv, Probe and RecvAny, matches a message with any tag.
	AnyTag = -1
	// NoRank is the neighbour beyond the edge of a grid: sending to it and receiving from it end at once, with nothing.
	NoRank = -2
	// Undefined, as the color of Split, is of ranks that want no part in a new communicator.
	Undefined = -3
	// MaxTag is the largest tag that every library accepts; the smallest is 0.
	MaxTag = 32767
)

// Status says what was received, or what Probe found.
type Status struct {
	// Source is the rank of the sender in the communicator; NoRank where there was none.
	Source int
	// Tag is the tag the message was sent with.
	Tag int
	// Bytes is the length of the message.
	Bytes int
}

// Count returns how many elements of type T the message has; ok is false if it is not a whole number of them.
func Count[T Number](s Status) (n int, ok bool) {
	size := int(reflect.TypeFor[T]().Size())
	return s.Bytes / size, s.Bytes%size == 0
}

// elem is the element type of a buffer, as both kinds of transport need it.
type elem uint8

const (
	elemByte elem = iota // bytes without a type: objects, and messages of the algorithms
	elemI8
	elemI16
	elemI32
	elemI64
	elemU8
	elemU16
	elemU32
	elemU64
	elemF32
	elemF64
	elemC64
	elemC128
	elems
)

var elemNames = [elems]string{"an object", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
	"float32", "float64", "complex64", "complex128"}

func (e elem) String() string { return elemNames[e] }

var elemSizes = [elems]int{1, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8, 8, 16}

func (e elem) size() int { return elemSizes[e] }

func elemOf[T Number]() elem {
	t := reflect.TypeFor[T]()
	switch t.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return sized(t.Size(), elemI8)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return sized(t.Size(), elemU8)
	case reflect.Float32:
		return elemF32
	case reflect.Float64:
		return elemF64
	case reflect.Complex64:
		return elemC64
	default:
		return elemC128
	}
}

// sized is the integer of that many bytes in the family that begins with first.
func sized(bytes uintptr, first elem) elem {
	for bytes > 1 {
		bytes /= 2
		first++
	}
	return first
}
