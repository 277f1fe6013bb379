package rt

import (
	"math"
	"runtime"
	"strconv"
	"strings"
)

// Read reads n bytes (1, 2, 4 or 8) at addr as the calling thread sees memory, little-endian. It returns false where the
// thread may not read; the call of printf then fails.
type Read func(addr uint64, n int) (uint64, bool)

// maxString bounds formats and strings, so that memory without a terminating zero does not print for ever.
const maxString = 64 << 10

// longBytes is the size of C's long where the kernel was compiled.
var longBytes = map[bool]int{true: 4, false: 8}[runtime.GOOS == "windows"]

// Printf formats as C's vprintf and keeps the text for Flush. The arguments lie in memory one behind the other at natural
// alignment: int is 4 bytes, and 8 are long long, double, pointers, and long other than on Windows (CUDA C++ Programming
// Guide, Formatted Output; PTX interoperability, vprintf). It returns the number of arguments used, -1 for a null format.
// It returns false if read refused.
func (r *Runtime) Printf(read Read, format, args uint64) (int32, bool) {
	if format == 0 {
		return -1, true
	}
	text, ok := readString(read, format)
	if !ok {
		return 0, false
	}
	f := formatter{read: read, next: args, ok: true}
	f.run(text)
	if !f.ok {
		return 0, false
	}
	r.output.add(f.out)
	return f.count, true
}

func readString(read Read, addr uint64) (string, bool) {
	var b []byte
	for len(b) < maxString {
		c, ok := read(addr+uint64(len(b)), 1)
		if !ok {
			return "", false
		}
		if c == 0 {
			break
		}
		b = append(b, byte(c))
	}
	return string(b), true
}

// formatter interprets one format.
type formatter struct {
	read  Read
	next  uint64 // address of the next argument
	count int32
	ok    bool
	out   []byte
}

// directive is what stands between the percent sign and the conversion (ISO C, fprintf).
type directive struct {
	minus, plus, space, alt, zero bool
	width                         int
	precision                     int // negative: none
	size                          int // bytes of an integer argument
	verb                          byte
}

func (f *formatter) run(text string) {
	for text != "" && f.ok {
		i := strings.IndexByte(text, '%')
		if i < 0 {
			f.out = append(f.out, text...)
			return
		}
		f.out = append(f.out, text[:i]...)
		text = text[i:]
		d, n := f.parse(text)
		if !f.convert(d) {
			f.out = append(f.out, text[:n]...) // not a conversion: as it stands
		}
		text = text[n:]
	}
}

// parse reads the directive at the beginning of text and returns its length.
func (f *formatter) parse(text string) (d directive, n int) {
	n = 1
	for ; n < len(text); n++ {
		switch text[n] {
		case '-':
			d.minus = true
			continue
		case '+':
			d.plus = true
			continue
		case ' ':
			d.space = true
			continue
		case '#':
			d.alt = true
			continue
		case '0':
			d.zero = true
			continue
		}
		break
	}
	d.width, n = f.number(text, n)
	if d.width < 0 {
		d.minus, d.width = true, -d.width
	}
	d.precision = -1
	if n < len(text) && text[n] == '.' {
		d.precision, n = f.number(text, n+1)
	}
	d.size, n = length(text, n)
	if n < len(text) {
		d.verb = text[n]
		n++
	}
	return d, n
}

// number reads digits or a star, which takes an argument.
func (f *formatter) number(text string, n int) (int, int) {
	if n < len(text) && text[n] == '*' {
		return bounded(int(int32(f.arg(4)))), n + 1
	}
	v := 0
	for ; n < len(text) && text[n] >= '0' && text[n] <= '9'; n++ {
		v = bounded(v*10 + int(text[n]-'0'))
	}
	return v, n
}

// bounded keeps widths and precisions from asking for more text than is kept.
func bounded(v int) int { return max(-maxString, min(v, maxString)) }

var lengths = []struct {
	name string
	size func() int
}{
	{"hh", func() int { return 1 }}, {"h", func() int { return 2 }},
	{"ll", func() int { return 8 }}, {"l", func() int { return longBytes }},
	{"z", func() int { return 8 }}, {"j", func() int { return 8 }}, {"t", func() int { return 8 }}, {"L", func() int { return 8 }},
}

func length(text string, n int) (size, next int) {
	for _, l := range lengths {
		if strings.HasPrefix(text[n:], l.name) {
			return l.size(), n + len(l.name)
		}
	}
	return 4, n
}

// arg reads the next argument of 4 or 8 bytes.
func (f *formatter) arg(n int) uint64 {
	f.next = (f.next + uint64(n) - 1) &^ (uint64(n) - 1)
	v, ok := f.read(f.next, n)
	f.ok = f.ok && ok
	f.next += uint64(n)
	f.count++
	return v
}

// convert carries out one directive and reports whether it is one.
func (f *formatter) convert(d directive) bool {
	switch d.verb {
	case '%':
		f.out = append(f.out, '%')
	case 'd', 'i':
		v := f.signed(d.size)
		f.integer(d, signOf(d, v < 0), strconv.FormatUint(magnitude(v), 10))
	case 'u', 'x', 'X', 'o':
		f.unsigned(d)
	case 'c':
		f.pad(d, "", string([]byte{byte(f.arg(4))}), false)
	case 's':
		f.str(d)
	case 'p':
		f.pointer(d)
	case 'e', 'E', 'f', 'F', 'g', 'G', 'a', 'A':
		f.float(d, math.Float64frombits(f.arg(8)))
	default:
		return false
	}
	return true
}

func (f *formatter) signed(size int) int64 {
	v := f.arg(max(size, 4))
	shift := 64 - 8*size
	return int64(v<<shift) >> shift
}

func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

func signOf(d directive, negative bool) string {
	switch {
	case negative:
		return "-"
	case d.plus:
		return "+"
	case d.space:
		return " "
	}
	return ""
}

func (f *formatter) unsigned(d directive) {
	shift := 64 - 8*d.size
	v := f.arg(max(d.size, 4)) << shift >> shift
	prefix, base := "", 10
	switch d.verb {
	case 'x', 'X':
		base = 16
		if d.alt && v != 0 {
			prefix = "0" + string(d.verb)
		}
	case 'o':
		base = 8
	}
	digits := strconv.FormatUint(v, base)
	if d.verb == 'X' {
		digits = strings.ToUpper(digits)
	}
	if d.verb == 'o' && d.alt && v != 0 && d.precision <= len(digits) {
		d.precision = len(digits) + 1
	}
	f.integer(d, prefix, digits)
}

// integer pads digits to the precision, which turns off padding with zeroes.
func (f *formatter) integer(d directive, prefix, digits string) {
	if d.precision == 0 && digits == "0" && !(d.verb == 'o' && d.alt) {
		digits = ""
	}
	if n := d.precision - len(digits); n > 0 {
		digits = strings.Repeat("0", n) + digits
	}
	f.pad(d, prefix, digits, d.zero && d.precision < 0)
}

// pad writes prefix and body in a field of the width.
func (f *formatter) pad(d directive, prefix, body string, zero bool) {
	fill := max(0, d.width-len(prefix)-len(body))
	if !d.minus && !zero {
		f.out = append(f.out, strings.Repeat(" ", fill)...)
	}
	f.out = append(f.out, prefix...)
	if !d.minus && zero {
		f.out = append(f.out, strings.Repeat("0", fill)...)
	}
	f.out = append(f.out, body...)
	if d.minus {
		f.out = append(f.out, strings.Repeat(" ", fill)...)
	}
}

// str reads no more of the string than the precision says: it need not end with a zero then.
func (f *formatter) str(d directive) {
	addr := f.arg(8)
	if addr == 0 {
		f.pad(d, "", "(null)", false)
		return
	}
	read, left := f.read, d.precision
	if left >= 0 {
		read = func(addr uint64, n int) (uint64, bool) {
			if left--; left < 0 {
				return 0, true
			}
			return f.read(addr, n)
		}
	}
	s, ok := readString(read, addr)
	f.ok = f.ok && ok
	f.pad(d, "", s, false)
}

func (f *formatter) pointer(d directive) {
	v := f.arg(8)
	if v == 0 {
		f.pad(d, "", "(nil)", false)
		return
	}
	f.pad(d, "0x", strconv.FormatUint(v, 16), d.zero)
}

func (f *formatter) float(d directive, v float64) {
	lower := d.verb | 0x20
	sign := signOf(d, math.Signbit(v))
	v = math.Abs(v)
	if math.IsInf(v, 0) || v != v {
		body := "inf"
		if v != v {
			body = "nan"
		}
		f.pad(d, sign, upperIf(d.verb != lower, body), false)
		return
	}
	prefix, body := sign, ""
	switch lower {
	case 'a':
		prefix += upperIf(d.verb != lower, "0x")
		body = hexFloat(v, d)
	case 'g':
		body = general(v, d)
	default:
		body = decimal(v, lower, defaultPrecision(d.precision), d.alt)
	}
	f.pad(d, prefix, upperIf(d.verb != lower, body), d.zero)
}

func upperIf(upper bool, s string) string {
	if upper {
		return strings.ToUpper(s)
	}
	return s
}

func defaultPrecision(p int) int {
	if p < 0 {
		return 6
	}
	return p
}

// decimal is %f or %e.
func decimal(v float64, verb byte, precision int, alt bool) string {
	s := strconv.FormatFloat(v, verb, precision, 64)
	if alt && precision == 0 {
		mantissa, exponent, _ := strings.Cut(s, "e")
		s = mantissa + "."
		if verb == 'e' {
			s += "e" + exponent
		}
	}
	return s
}

// general is %g: the style follows from the exponent that %e would show (ISO C, fprintf).
func general(v float64, d directive) string {
	p := max(1, defaultPrecision(d.precision))
	e := strconv.FormatFloat(v, 'e', p-1, 64)
	x, _ := strconv.Atoi(e[strings.IndexByte(e, 'e')+1:])
	verb, precision := byte('e'), p-1
	if x >= -4 && x < p {
		verb, precision = 'f', p-1-x
	}
	s := decimal(v, verb, precision, d.alt)
	if d.alt || precision == 0 {
		return s
	}
	mantissa, exponent, found := strings.Cut(s, "e")
	mantissa = strings.TrimRight(strings.TrimRight(mantissa, "0"), ".")
	if found {
		return mantissa + "e" + exponent
	}
	return mantissa
}

// hexFloat is %a without sign and 0x.
func hexFloat(v float64, d directive) string {
	s := strconv.FormatFloat(v, 'x', d.precision, 64)
	mantissa, exponent, _ := strings.Cut(s[2:], "p")
	if d.alt && !strings.Contains(mantissa, ".") {
		mantissa += "."
	}
	sign, digits := exponent[:1], strings.TrimLeft(exponent[1:], "0")
	if digits == "" {
		digits = "0"
	}
	return mantissa + "p" + sign + digits
}
