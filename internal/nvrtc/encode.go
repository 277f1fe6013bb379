package nvrtc

import (
	"encoding/binary"
	"maps"
	"slices"
)

// encodeResult writes what is cached of a result: PTX, machine code, log and lowered names, each with its length. The
// cache guards the bytes by a checksum.
func encodeResult(r *Result) []byte {
	var b []byte
	put := func(s []byte) {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	put(r.PTX)
	put(r.CUBIN)
	put([]byte(r.Log))
	for _, e := range slices.Sorted(maps.Keys(r.LoweredNames)) {
		put([]byte(e))
		put([]byte(r.LoweredNames[e]))
	}
	return b
}

// decodeResult is the inverse of encodeResult; it reports false for bytes that encodeResult does not write.
func decodeResult(b []byte) (*Result, bool) {
	var fields [][]byte
	for len(b) > 0 {
		n, w := binary.Uvarint(b)
		if w <= 0 || n > uint64(len(b)-w) {
			return nil, false
		}
		fields = append(fields, b[w:w+int(n)])
		b = b[w+int(n):]
	}
	if len(fields) < 3 || len(fields)%2 == 0 {
		return nil, false
	}
	r := &Result{PTX: fields[0], Log: string(fields[2]), LoweredNames: map[string]string{}}
	if len(fields[1]) > 0 {
		r.CUBIN = fields[1]
	}
	for f := fields[3:]; len(f) > 0; f = f[2:] {
		r.LoweredNames[string(f[0])] = string(f[1])
	}
	return r, true
}
