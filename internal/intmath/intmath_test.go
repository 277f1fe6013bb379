package intmath_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/intmath"
)

const cases = 100_000

// operands calls f with all triples of edge values, then with seeded random words of varied length.
func operands(f func(a, b, c uint64)) {
	edges := []uint64{0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 33, 63, 64, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x7fffff, 0x800000,
		math.MaxInt32, 1 << 31, math.MaxUint32, 1 << 32, math.MaxInt64, 1 << 63, math.MaxUint64, math.MaxUint64 - 1}
	for _, a := range edges {
		for _, b := range edges {
			for _, c := range edges {
				f(a, b, c)
			}
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	word := func() uint64 { return uint64(int64(r.Uint64()) >> r.IntN(64)) }
	for range cases {
		f(word(), word(), word())
	}
}

func integer[T intmath.Integer](x T) *big.Int {
	if x > 0 && uint64(x)>>63 == 1 {
		return new(big.Int).SetUint64(uint64(x))
	}
	return big.NewInt(int64(x))
}

// low returns the low n bits of x in two's complement.
func low(x *big.Int, n uint) uint64 {
	return new(big.Int).And(x, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), n), big.NewInt(1))).Uint64()
}

// check compares without the cost of an assertion per case.
func check[T comparable](t *testing.T, want, got T, name string, args ...any) {
	if want != got {
		t.Helper()
		require.Equal(t, want, got, "%s %#x", name, args)
	}
}

func testDivision[T intmath.Integer](t *testing.T, n uint) {
	operands(func(a, b, _ uint64) {
		x, y := T(a), T(b)
		if y == 0 {
			check(t, ^T(0), intmath.Div(x, y), "div", x)
			check(t, x, intmath.Rem(x, y), "rem", x)
			return
		}
		q, r := new(big.Int).QuoRem(integer(x), integer(y), new(big.Int))
		check(t, T(low(q, n)), intmath.Div(x, y), "div", x, y)
		check(t, T(low(r, n)), intmath.Rem(x, y), "rem", x, y)
	})
}

func TestDivRem(t *testing.T) {
	t.Run("s16", func(t *testing.T) { testDivision[int16](t, 16) })
	t.Run("u16", func(t *testing.T) { testDivision[uint16](t, 16) })
	t.Run("s32", func(t *testing.T) { testDivision[int32](t, 32) })
	t.Run("u32", func(t *testing.T) { testDivision[uint32](t, 32) })
	t.Run("s64", func(t *testing.T) { testDivision[int64](t, 64) })
	t.Run("u64", func(t *testing.T) { testDivision[uint64](t, 64) })
	require.Equal(t, int32(math.MinInt32), intmath.Div[int32](math.MinInt32, -1))
	require.Equal(t, int64(0), intmath.Rem[int64](math.MinInt64, -1))
	require.Equal(t, int32(-1), intmath.Div[int32](5, 0))
}

func testShift[T intmath.Integer](t *testing.T, n uint) {
	operands(func(a, b, _ uint64) {
		x, s := T(a), uint32(b)
		check(t, T(low(new(big.Int).Lsh(integer(x), uint(min(s, 64))), n)), intmath.Shl(x, s), "shl", x, s)
		check(t, T(low(new(big.Int).Rsh(integer(x), uint(min(s, 64))), n)), intmath.Shr(x, s), "shr", x, s)
	})
}

func TestShifts(t *testing.T) {
	t.Run("s16", func(t *testing.T) { testShift[int16](t, 16) })
	t.Run("u16", func(t *testing.T) { testShift[uint16](t, 16) })
	t.Run("s32", func(t *testing.T) { testShift[int32](t, 32) })
	t.Run("u32", func(t *testing.T) { testShift[uint32](t, 32) })
	t.Run("s64", func(t *testing.T) { testShift[int64](t, 64) })
	t.Run("u64", func(t *testing.T) { testShift[uint64](t, 64) })
}

// upperHalf is bits n and up of the exact product.
func upperHalf(a, b *big.Int, n uint) *big.Int { return new(big.Int).Rsh(new(big.Int).Mul(a, b), n) }

func TestMulHi(t *testing.T) {
	operands(func(a, b, _ uint64) {
		check(t, uint16(low(upperHalf(integer(uint16(a)), integer(uint16(b)), 16), 16)), intmath.MulHiU16(uint16(a), uint16(b)), "u16", a, b)
		check(t, int16(low(upperHalf(integer(int16(a)), integer(int16(b)), 16), 16)), intmath.MulHiS16(int16(a), int16(b)), "s16", a, b)
		check(t, uint32(low(upperHalf(integer(uint32(a)), integer(uint32(b)), 32), 32)), intmath.MulHiU32(uint32(a), uint32(b)), "u32", a, b)
		check(t, int32(low(upperHalf(integer(int32(a)), integer(int32(b)), 32), 32)), intmath.MulHiS32(int32(a), int32(b)), "s32", a, b)
		check(t, low(upperHalf(integer(a), integer(b), 64), 64), intmath.MulHiU64(a, b), "u64", a, b)
		check(t, int64(low(upperHalf(integer(int64(a)), integer(int64(b)), 64), 64)), intmath.MulHiS64(int64(a), int64(b)), "s64", a, b)
	})
}

func TestMul24(t *testing.T) {
	signed24 := func(x uint64) *big.Int {
		v := int64(x & 0xffffff)
		if v >= 1<<23 {
			v -= 1 << 24
		}
		return big.NewInt(v)
	}
	operands(func(a, b, _ uint64) {
		u := new(big.Int).Mul(big.NewInt(int64(a&0xffffff)), big.NewInt(int64(b&0xffffff)))
		s := new(big.Int).Mul(signed24(a), signed24(b))
		check(t, uint32(low(u, 32)), intmath.Mul24U(uint32(a), uint32(b), false), "u24 lo", a, b)
		check(t, uint32(low(new(big.Int).Rsh(u, 16), 32)), intmath.Mul24U(uint32(a), uint32(b), true), "u24 hi", a, b)
		check(t, int32(low(s, 32)), intmath.Mul24S(int32(a), int32(b), false), "s24 lo", a, b)
		check(t, int32(low(new(big.Int).Rsh(s, 16), 32)), intmath.Mul24S(int32(a), int32(b), true), "s24 hi", a, b)
	})
}

func clamp(x *big.Int) int32 {
	switch {
	case x.Cmp(big.NewInt(math.MaxInt32)) > 0:
		return math.MaxInt32
	case x.Cmp(big.NewInt(math.MinInt32)) < 0:
		return math.MinInt32
	}
	return int32(x.Int64())
}

func TestSaturating(t *testing.T) {
	operands(func(a, b, c uint64) {
		x, y, z := integer(int32(a)), integer(int32(b)), integer(int32(c))
		check(t, clamp(new(big.Int).Add(x, y)), intmath.AddSat(int32(a), int32(b)), "add.sat", a, b)
		check(t, clamp(new(big.Int).Sub(x, y)), intmath.SubSat(int32(a), int32(b)), "sub.sat", a, b)
		mad := new(big.Int).Add(upperHalf(x, y, 32), z)
		check(t, clamp(mad), intmath.MadHiSat(int32(a), int32(b), int32(c)), "mad.hi.sat", a, b, c)
		p := new(big.Int).Mul(integer(int32(a)<<8>>8), integer(int32(b)<<8>>8))
		mad24 := new(big.Int).Add(new(big.Int).Rsh(p, 16), z)
		check(t, clamp(mad24), intmath.Mad24HiSat(int32(a), int32(b), int32(c)), "mad24.hi.sat", a, b, c)
	})
}

func testSad[T intmath.Integer](t *testing.T, n uint) {
	operands(func(a, b, c uint64) {
		d := new(big.Int).Sub(integer(T(a)), integer(T(b)))
		want := T(low(d.Add(d.Abs(d), integer(T(c))), n))
		check(t, want, intmath.Sad(T(a), T(b), T(c)), "sad", a, b, c)
	})
}

func TestSad(t *testing.T) {
	testSad[int16](t, 16)
	testSad[uint16](t, 16)
	testSad[int32](t, 32)
	testSad[uint32](t, 32)
	testSad[int64](t, 64)
	testSad[uint64](t, 64)
}

// TestCarryChain multiplies 64- and 128-bit numbers as compiled code does, by halves with mad.lo.cc and madc.hi.
func TestCarryChain(t *testing.T) {
	operands(func(a, b, c uint64) {
		lo, carry := intmath.MadCC32(uint32(a), uint32(b), uint32(c), 0, false, false)
		hi, _ := intmath.MadCC32(uint32(a), uint32(b), uint32(c>>32), carry, true, false)
		check(t, uint64(uint32(a))*uint64(uint32(b))+c, uint64(hi)<<32|uint64(lo), "mad32", a, b, c)
		hi, _ = intmath.MadCC32(uint32(a), uint32(b), uint32(c>>32), carry, true, true)
		check(t, uint64(int64(int32(a))*int64(int32(b)))+c, uint64(hi)<<32|uint64(lo), "mad32 signed", a, b, c)

		want := new(big.Int).Add(new(big.Int).Mul(integer(a), integer(b)), integer(c))
		lo64, carry64 := intmath.MadCC64(a, b, c, 0, false, false)
		hi64, out := intmath.MadCC64(a, b, 0, carry64, true, false)
		check(t, low(want, 64), lo64, "mad64 lo", a, b, c)
		check(t, low(want.Rsh(want, 64), 64), hi64, "mad64 hi", a, b, c)
		check(t, 0, out, "no carry out of 128 bits", a, b, c)
		want = new(big.Int).Add(new(big.Int).Mul(integer(int64(a)), integer(int64(b))), integer(c))
		hi64, _ = intmath.MadCC64(a, b, 0, carry64, true, true)
		check(t, low(want.Rsh(want, 64), 64), hi64, "mad64 signed hi", a, b, c)
	})
}

func TestDotProducts(t *testing.T) {
	part := func(x uint32, i, n int, signed bool) int64 {
		v := int64(x>>(i*n)) & (1<<n - 1)
		if signed && v >= 1<<(n-1) {
			v -= 1 << n
		}
		return v
	}
	operands(func(a64, b64, c64 uint64) {
		a, b, c := uint32(a64), uint32(b64), uint32(c64)
		for signs := range 4 {
			as, bs := signs&1 == 1, signs&2 == 2
			four, lo, hi := int64(c), int64(c), int64(c)
			for i := range 4 {
				four += part(a, i, 8, as) * part(b, i, 8, bs)
			}
			for i := range 2 {
				lo += part(a, i, 16, as) * part(b, i, 8, bs)
				hi += part(a, i, 16, as) * part(b, i+2, 8, bs)
			}
			check(t, uint32(four), intmath.Dp4a(a, b, c, as, bs), "dp4a", a, b, c, signs)
			check(t, uint32(lo), intmath.Dp2a(a, b, c, as, bs, false), "dp2a.lo", a, b, c, signs)
			check(t, uint32(hi), intmath.Dp2a(a, b, c, as, bs, true), "dp2a.hi", a, b, c, signs)
		}
	})
}

// bfe and bfi are the loops over bits of the PTX ISA.
func bfe(a uint64, pos, length, top uint32, signed bool) uint64 {
	pos, length = pos&0xff, length&0xff
	var fill, d uint64
	if signed && length > 0 {
		fill = a >> min(pos+length-1, top) & 1
	}
	for i := uint32(0); i <= top; i++ {
		bit := fill
		if i < length && pos+i <= top {
			bit = a >> (pos + i) & 1
		}
		d |= bit << i
	}
	return d
}

func bfi(a, b uint64, pos, length, top uint32) uint64 {
	pos, length = pos&0xff, length&0xff
	for i := uint32(0); i < length && pos+i <= top; i++ {
		b = b&^(1<<(pos+i)) | a>>i&1<<(pos+i)
	}
	return b
}

func TestBitFields(t *testing.T) {
	test := func(a, b uint64, pos, length uint32) {
		check(t, uint32(bfe(uint64(uint32(a)), pos, length, 31, false)), intmath.BfeU32(uint32(a), pos, length), "bfe.u32", a, pos, length)
		check(t, uint32(bfe(uint64(uint32(a)), pos, length, 31, true)), uint32(intmath.BfeS32(int32(a), pos, length)), "bfe.s32", a, pos, length)
		check(t, bfe(a, pos, length, 63, false), intmath.BfeU64(a, pos, length), "bfe.u64", a, pos, length)
		check(t, bfe(a, pos, length, 63, true), uint64(intmath.BfeS64(int64(a), pos, length)), "bfe.s64", a, pos, length)
		check(t, uint32(bfi(uint64(uint32(a)), uint64(uint32(b)), pos, length, 31)), intmath.Bfi32(uint32(a), uint32(b), pos, length), "bfi.b32", a, b, pos, length)
		check(t, bfi(a, b, pos, length, 63), intmath.Bfi64(a, b, pos, length), "bfi.b64", a, b, pos, length)
	}
	r := rand.New(rand.NewPCG(3, 4))
	for pos := range uint32(70) {
		for length := range uint32(70) {
			test(r.Uint64(), r.Uint64(), pos, length)
			test(r.Uint64(), r.Uint64(), pos|0x300, length|0x500)
		}
	}
	operands(func(a, b, c uint64) { test(a, b, uint32(b), uint32(c)) })
}

func TestBfind(t *testing.T) {
	find := func(x *big.Int, n int) (uint32, uint32) {
		if x.Sign() < 0 {
			x = new(big.Int).Not(x)
		}
		if x.Sign() == 0 {
			return math.MaxUint32, math.MaxUint32
		}
		return uint32(x.BitLen() - 1), uint32(n - x.BitLen())
	}
	operands(func(a, _, _ uint64) {
		pos, shift := find(integer(uint32(a)), 32)
		check(t, pos, intmath.BfindU32(uint32(a), false), "u32", a)
		check(t, shift, intmath.BfindU32(uint32(a), true), "u32", a)
		pos, shift = find(integer(int32(a)), 32)
		check(t, pos, intmath.BfindS32(int32(a), false), "s32", a)
		check(t, shift, intmath.BfindS32(int32(a), true), "s32", a)
		pos, shift = find(integer(a), 64)
		check(t, pos, intmath.BfindU64(a, false), "u64", a)
		check(t, shift, intmath.BfindU64(a, true), "u64", a)
		pos, shift = find(integer(int64(a)), 64)
		check(t, pos, intmath.BfindS64(int64(a), false), "s64", a)
		check(t, shift, intmath.BfindS64(int64(a), true), "s64", a)
	})
}

func TestFns(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range cases {
		mask, base, n := r.Uint32()&r.Uint32(), r.Uint32N(34), int32(r.IntN(40)-20)
		// The set bits on one side of base, nearest first.
		var found []uint32
		for i := range uint32(32) {
			pos := base + i
			if n < 0 {
				pos = base - i
			}
			if pos < 32 && base < 32 && mask>>pos&1 == 1 {
				found = append(found, pos)
			}
		}
		want := uint32(math.MaxUint32)
		count := max(n, -n)
		switch {
		case n == 0 && base < 32 && mask>>base&1 == 1:
			want = base
		case n != 0 && int(count) <= len(found):
			want = found[count-1]
		}
		check(t, want, intmath.Fns(mask, base, n), "fns", mask, base, n)
	}
	require.Equal(t, uint32(math.MaxUint32), intmath.Fns(math.MaxUint32, 5, math.MinInt32))
}

func TestFunnelShift(t *testing.T) {
	operands(func(a64, b64, n64 uint64) {
		a, b, n := uint32(a64), uint32(b64), uint32(n64)
		both := uint64(b)<<32 | uint64(a)
		for _, wrap := range []bool{false, true} {
			s := min(n, 32)
			if wrap {
				s = n % 32
			}
			check(t, uint32(both<<s>>32), intmath.ShfL(a, b, n, wrap), "shf.l", a, b, n, wrap)
			check(t, uint32(both>>s), intmath.ShfR(a, b, n, wrap), "shf.r", a, b, n, wrap)
		}
	})
}

func TestLop3(t *testing.T) {
	require.Equal(t, uint32(0x0f0f&0x3333|0x5555), intmath.Lop3(0x0f0f, 0x3333, 0x5555, 0xf0&0xcc|0xaa))
	r := rand.New(rand.NewPCG(7, 8))
	for range 1000 {
		a, b, c := r.Uint32(), r.Uint32(), r.Uint32()
		for table := range 256 {
			var want uint32
			for i := range 32 {
				index := a>>i&1*4 + b>>i&1*2 + c>>i&1
				want |= uint32(table) >> index & 1 << i
			}
			check(t, want, intmath.Lop3(a, b, c, uint8(table)), "lop3", a, b, c, table)
		}
	}
}

func TestPrmt(t *testing.T) {
	const a, b = 0x83828180, 0x07060504 // byte i of {b, a} is i, with its sign set in a
	for _, c := range []struct {
		name     string
		selector uint32
		mode     intmath.PrmtMode
		want     uint32
	}{
		{"identity", 0x3210, intmath.PrmtDefault, a},
		{"reverse across", 0x0347, intmath.PrmtDefault, 0x80830407},
		{"signs", 0xfb8c, intmath.PrmtDefault, 0x00ffff00},
		{"high bits ignored", 0xabc3210, intmath.PrmtDefault, a},
		{"f4e 1", 1, intmath.PrmtF4E, 0x04838281},
		{"f4e 3", 7, intmath.PrmtF4E, 0x06050483},
		{"b4e 0", 0, intmath.PrmtB4E, 0x05060780},
		{"b4e 3", 3, intmath.PrmtB4E, 0x80818283},
		{"rc8 2", 2, intmath.PrmtRC8, 0x82828282},
		{"ecl 1", 1, intmath.PrmtECL, 0x83828181},
		{"ecl 3", 3, intmath.PrmtECL, 0x83838383},
		{"ecr 0", 0, intmath.PrmtECR, 0x80808080},
		{"ecr 2", 2, intmath.PrmtECR, 0x82828180},
		{"rc16 0", 0, intmath.PrmtRC16, 0x81808180},
		{"rc16 3", 3, intmath.PrmtRC16, 0x83828382},
	} {
		require.Equal(t, c.want, intmath.Prmt(a, b, c.selector, c.mode), c.name)
	}
	operands(func(a64, b64, s64 uint64) {
		a, b, s := uint32(a64), uint32(b64), uint32(s64)
		both := [8]byte{byte(a), byte(a >> 8), byte(a >> 16), byte(a >> 24), byte(b), byte(b >> 8), byte(b >> 16), byte(b >> 24)}
		var want uint32
		for i := range 4 {
			nibble := s >> (4 * i) & 15
			x := both[nibble&7]
			if nibble > 7 {
				x = byte(int8(x) >> 7)
			}
			want |= uint32(x) << (8 * i)
		}
		check(t, want, intmath.Prmt(a, b, s, intmath.PrmtDefault), "prmt", a, b, s)
		n := s & 3
		check(t, uint32((uint64(b)<<32|uint64(a))>>(8*n)), intmath.Prmt(a, b, s, intmath.PrmtF4E), "f4e", a, b, s)
		b4e := uint32(both[n]) | uint32(both[(n-1)&7])<<8 | uint32(both[(n-2)&7])<<16 | uint32(both[(n-3)&7])<<24
		check(t, b4e, intmath.Prmt(a, b, s, intmath.PrmtB4E), "b4e", a, b, s)
		check(t, uint32(both[n])*0x01010101, intmath.Prmt(a, b, s, intmath.PrmtRC8), "rc8", a, b, s)
	})
}

func TestVideo(t *testing.T) {
	for _, c := range []struct {
		name    string
		v       intmath.Video
		a, b, c uint32
		want    uint32
	}{
		{"sum of absolute differences", intmath.Video{Op: intmath.VAbsDiff, Bytes: true, Add: true}, 0x01ff8000, 0x02007f10, 100, 100 + 1 + 255 + 1 + 16},
		{"absolute difference of halves", intmath.Video{Op: intmath.VAbsDiff}, 0x00058000, 0x00087fff, 0, 0x00030001},
		{"signed halves", intmath.Video{Op: intmath.VAbsDiff, ASigned: true, BSigned: true, Add: true}, 0xffff0002, 0x0001fffe, 1, 7},
		{"wrap", intmath.Video{Op: intmath.VAdd, Bytes: true}, 0xff01ff01, 0x01010101, 0, 0x00020002},
		{"saturate unsigned", intmath.Video{Op: intmath.VAdd, Bytes: true, Sat: true}, 0xff01ff01, 0x01010101, 0, 0xff02ff02},
		{"saturate below", intmath.Video{Op: intmath.VSub, Bytes: true, Sat: true}, 0x00050005, 0x01010101, 0, 0x00040004},
		{"saturate signed", intmath.Video{Op: intmath.VSub, ASigned: true, BSigned: true, DSigned: true, Sat: true}, 0x80007fff, 0x0001ffff, 0, 0x80007fff},
		{"average", intmath.Video{Op: intmath.VAvrg, Bytes: true, ASigned: true, BSigned: true}, 0x0102fffd, 0x0203fffe, 0, 0x0203fffd},
		{"min", intmath.Video{Op: intmath.VMin, ASigned: true, BSigned: true}, 0xffff0001, 0x00010000, 0, 0xffff0000},
		{"max", intmath.Video{Op: intmath.VMax}, 0xffff0001, 0x00010000, 0, 0xffff0001},
		{"count equal bytes", intmath.Video{Op: intmath.VSetEQ, Bytes: true, Add: true}, 0x01020304, 0x01000300, 0, 2},
		{"less", intmath.Video{Op: intmath.VSetLT, Bytes: true}, 0x01020304, 0x02010504, 0, 0x01000100},
		{"masked lanes keep c", intmath.Video{Op: intmath.VAdd, Bytes: true, NotMask: 0b0101}, 0x01010101, 0x01010101, 0xaabbccdd, 0x02bb02dd},
		{"masked lanes add nothing", intmath.Video{Op: intmath.VAdd, Bytes: true, Add: true, NotMask: 0b1110}, 0x01010101, 0x02020202, 10, 13},
		{"select", intmath.Video{Op: intmath.VSub, ASelect: []uint8{3, 0}, BSelect: []uint8{1, 1}}, 0x00010005, 0x00090007, 0, 0x00040008},
	} {
		require.Equal(t, c.want, c.v.Apply(c.a, c.b, c.c), c.name)
	}
	for op, f := range map[intmath.VideoOp]func(a, b int) bool{
		intmath.VSetEQ: func(a, b int) bool { return a == b }, intmath.VSetNE: func(a, b int) bool { return a != b },
		intmath.VSetLT: func(a, b int) bool { return a < b }, intmath.VSetLE: func(a, b int) bool { return a <= b },
		intmath.VSetGT: func(a, b int) bool { return a > b }, intmath.VSetGE: func(a, b int) bool { return a >= b },
	} {
		for a := range 4 {
			for b := range 4 {
				got := intmath.Video{Op: op}.Apply(uint32(a), uint32(b), 0) & 0xffff
				require.Equal(t, f(a, b), got == 1, "%d: %d, %d", op, a, b)
			}
		}
	}
}
