package mem

import (
	"sync/atomic"
	"unsafe"
)

// The functions below access memory at addresses that the caller has checked. Addresses are aligned to the access's size,
// except for Load and Store, which take any.

// pointer makes a pointer of an address outside Go's heap.
func pointer(addr uint64) unsafe.Pointer { return unsafe.Add(unsafe.Pointer(nil), addr) }

// view is the n bytes at addr.
func view(addr, n uint64) []byte { return unsafe.Slice((*byte)(pointer(addr)), n) }

// AddressOf returns the address of the first byte of b, which lies outside Go's heap or is pinned.
func AddressOf(b []byte) uint64 { return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) }

// Load8 reads a byte.
func Load8(addr uint64) uint8 { return *(*uint8)(pointer(addr)) }

// Load16 reads two bytes.
func Load16(addr uint64) uint16 { return *(*uint16)(pointer(addr)) }

// Load32 reads four bytes.
func Load32(addr uint64) uint32 { return *(*uint32)(pointer(addr)) }

// Load64 reads eight bytes.
func Load64(addr uint64) uint64 { return *(*uint64)(pointer(addr)) }

// Store8 writes a byte.
func Store8(addr uint64, v uint8) { *(*uint8)(pointer(addr)) = v }

// Store16 writes two bytes.
func Store16(addr uint64, v uint16) { *(*uint16)(pointer(addr)) = v }

// Store32 writes four bytes.
func Store32(addr uint64, v uint32) { *(*uint32)(pointer(addr)) = v }

// Store64 writes eight bytes.
func Store64(addr, v uint64) { *(*uint64)(pointer(addr)) = v }

// Load reads 1 to 8 bytes, little-endian, extended with zeroes.
func Load(addr uint64, size int) uint64 {
	switch size {
	case 1:
		return uint64(Load8(addr))
	case 2:
		return uint64(Load16(addr))
	case 4:
		return uint64(Load32(addr))
	case 8:
		return Load64(addr)
	}
	var v uint64
	for i := range size {
		v |= uint64(Load8(addr+uint64(i))) << (8 * i)
	}
	return v
}

// Store writes the low 1 to 8 bytes of v, little-endian.
func Store(addr uint64, size int, v uint64) {
	switch size {
	case 1:
		Store8(addr, uint8(v))
	case 2:
		Store16(addr, uint16(v))
	case 4:
		Store32(addr, uint32(v))
	case 8:
		Store64(addr, v)
	default:
		for i := range size {
			Store8(addr+uint64(i), uint8(v>>(8*i)))
		}
	}
}

// AtomicLoad32 reads four bytes, ordered as sync/atomic orders.
func AtomicLoad32(addr uint64) uint32 { return atomic.LoadUint32((*uint32)(pointer(addr))) }

// AtomicLoad64 reads eight bytes, ordered as sync/atomic orders.
func AtomicLoad64(addr uint64) uint64 { return atomic.LoadUint64((*uint64)(pointer(addr))) }

// AtomicStore32 writes four bytes, ordered as sync/atomic orders.
func AtomicStore32(addr uint64, v uint32) { atomic.StoreUint32((*uint32)(pointer(addr)), v) }

// AtomicStore64 writes eight bytes, ordered as sync/atomic orders.
func AtomicStore64(addr, v uint64) { atomic.StoreUint64((*uint64)(pointer(addr)), v) }

// AtomicAdd32 adds v and returns what was there before.
func AtomicAdd32(addr uint64, v uint32) uint32 {
	return atomic.AddUint32((*uint32)(pointer(addr)), v) - v
}

// AtomicAdd64 adds v and returns what was there before.
func AtomicAdd64(addr, v uint64) uint64 { return atomic.AddUint64((*uint64)(pointer(addr)), v) - v }

// AtomicSwap32 stores v and returns what was there before.
func AtomicSwap32(addr uint64, v uint32) uint32 {
	return atomic.SwapUint32((*uint32)(pointer(addr)), v)
}

// AtomicSwap64 stores v and returns what was there before.
func AtomicSwap64(addr, v uint64) uint64 { return atomic.SwapUint64((*uint64)(pointer(addr)), v) }

// CompareAndSwap32 stores v if old is there and reports whether it was.
func CompareAndSwap32(addr uint64, old, v uint32) bool {
	return atomic.CompareAndSwapUint32((*uint32)(pointer(addr)), old, v)
}

// CompareAndSwap64 stores v if old is there and reports whether it was.
func CompareAndSwap64(addr, old, v uint64) bool {
	return atomic.CompareAndSwapUint64((*uint64)(pointer(addr)), old, v)
}

// Fill writes n bytes of value v at addr.
func Fill(addr, n uint64, v byte) { fill(view(addr, n), v) }

func fill(b []byte, v byte) {
	if len(b) == 0 {
		return
	}
	b[0] = v
	for done := 1; done < len(b); {
		done += copy(b[done:], b[:min(done, 1<<16)])
	}
}
