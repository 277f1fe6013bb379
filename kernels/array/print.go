package array

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// How arrays are printed, as NumPy's default options have it.
const (
	lineWidth = 75
	threshold = 1000 // more elements are summarised
	edgeItems = 3    // at each end of each axis of a summary
	precision = 8    // digits behind the point
)

// String computes the array and prints it as NumPy does: "[[1. 2.]\n [3. 4.]]". More than 1,000 elements are summarised.
// An array that cannot be computed prints its error.
func (a *Array[T]) String() string {
	s, err := a.Format(context.Background())
	if err != nil {
		return fmt.Sprintf("array: %v", err)
	}
	return s
}

// Format is String with a context, and with the error apart. Of arrays of more than 1,000 elements only those that are
// printed are copied from the device.
func (a *Array[T]) Format(ctx context.Context) (string, error) {
	if a.err != nil {
		return "", a.err
	}
	shape := a.n.shape
	shown := a
	summary := size(shape) > threshold
	if summary {
		for k, d := range shape {
			if d > 2*edgeItems {
				head, tail := make([]Index, k+1), make([]Index, k+1)
				for i := range k {
					head[i], tail[i] = All, All
				}
				head[k], tail[k] = Range(0, edgeItems), Range(d-edgeItems, d)
				shown = Concatenate(k, shown.Index(head...), shown.Index(tail...))
			}
		}
	}
	data, err := shown.Download(ctx)
	if err != nil {
		return "", err
	}
	if size(shape) == 0 && len(shape) > 0 {
		return "[]", nil
	}
	p := printer{words: words(data, len(shape) == 0), shape: shown.n.shape, full: shape, summary: summary}
	return p.format(0, " ", lineWidth), nil
}

// printer lays words out. shape is that of the words, full that of the array.
type printer struct {
	words       []string
	shape, full []int
	summary     bool
	next        int
}

// format prints the rest of the words along the axes from axis on.
func (p *printer) format(axis int, indent string, width int) string {
	if axis == len(p.full) {
		p.next++
		return p.words[p.next-1]
	}
	cut := p.summary && p.full[axis] > 2*edgeItems
	var b strings.Builder
	if axis == len(p.full)-1 {
		p.row(&b, cut, indent, width-1)
	} else {
		gap := strings.Repeat("\n", len(p.full)-axis-1)
		for i := range p.shape[axis] {
			if i > 0 {
				b.WriteString(gap)
			}
			if cut && i == edgeItems {
				b.WriteString(indent + "..." + gap)
			}
			b.WriteString(indent + p.format(axis+1, indent+" ", width-1))
		}
	}
	return "[" + strings.TrimPrefix(b.String(), indent) + "]"
}

// row prints the last axis, in as many lines as it takes.
func (p *printer) row(b *strings.Builder, cut bool, indent string, width int) {
	line := indent
	add := func(word string) {
		if len(line)+len(word) > width && len(line) > len(indent) {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line = indent
		}
		line += word
	}
	n := p.shape[len(p.shape)-1]
	for i := range n {
		if cut && i == edgeItems {
			add("...")
			line += " "
		}
		add(p.words[p.next])
		p.next++
		if i < n-1 {
			line += " "
		}
	}
	b.WriteString(line)
}

// words prints each element, all with one width.
func words[T Element](data []T, alone bool) []string {
	switch d := any(data).(type) {
	case []bool:
		out := make([]string, len(d))
		for i, v := range d {
			out[i] = map[bool]string{true: " True", false: "False"}[v]
			if alone && v {
				out[i] = "True"
			}
		}
		return out
	case []Float16:
		x := make([]float64, len(d))
		for i, v := range d {
			x[i] = v.Float64()
		}
		return floatWords(x, 16, false)
	case []float32:
		x := make([]float64, len(d))
		for i, v := range d {
			x[i] = float64(v)
		}
		return floatWords(x, 32, false)
	case []float64:
		return floatWords(d, 64, false)
	case []complex64:
		z := make([]complex128, len(d))
		for i, v := range d {
			z[i] = complex128(v)
		}
		return complexWords(z, 32)
	case []complex128:
		return complexWords(d, 64)
	}
	out, width := make([]string, len(data)), 0
	for i, v := range data {
		out[i] = fmt.Sprint(v)
		width = max(width, len(out[i]))
	}
	for i, s := range out {
		out[i] = strings.Repeat(" ", width-len(s)) + s
	}
	return out
}

func complexWords(z []complex128, bits int) []string {
	re, im := make([]float64, len(z)), make([]float64, len(z))
	for i, v := range z {
		re[i], im[i] = real(v), imag(v)
	}
	out, second := floatWords(re, bits, false), floatWords(im, bits, true)
	for i := range out {
		text := strings.TrimRight(second[i], " ")
		out[i] += text + "j" + second[i][len(text):]
	}
	return out
}

// decimal is a number in digits: without exponent, or with one, whose sign counts as a digit.
type decimal struct {
	whole, fraction, exponent string
}

// floatWords prints numbers in the fewest digits that identify them, with at most eight behind the point: all with or all
// without an exponent, aligned at the point. sign asks for a plus sign.
func floatWords(x []float64, bits int, sign bool) []string {
	exponent := needsExponent(x, bits)
	parts := make([]decimal, len(x))
	left, right, exp, odd, negative := 0, 0, 0, false, false
	for i, v := range x {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			odd = true
			negative = negative || math.IsInf(v, -1)
			continue
		}
		parts[i] = digits(v, bits, exponent)
		if sign && !strings.HasPrefix(parts[i].whole, "-") {
			parts[i].whole = "+" + parts[i].whole
		}
		left, right, exp = max(left, len(parts[i].whole)), max(right, len(parts[i].fraction)), max(exp, len(parts[i].exponent))
	}
	behind := right // of the point
	if exponent {
		behind += 1 + exp
	}
	if odd {
		infinite := 3
		if negative || sign {
			infinite = 4
		}
		left = max(left, 3-behind-1, infinite-behind-1)
	}
	out := make([]string, len(x))
	for i, v := range x {
		out[i] = word(v, parts[i], left, right, exp, behind, exponent, sign)
	}
	return out
}

func word(v float64, d decimal, left, right, exp, behind int, exponent, sign bool) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		text := "nan"
		switch {
		case math.IsInf(v, -1):
			text = "-inf"
		case math.IsInf(v, 1):
			text = "inf"
		}
		if sign && text[0] != '-' {
			text = "+" + text
		}
		return strings.Repeat(" ", max(0, left+behind+1-len(text))) + text
	}
	if exponent && len(d.fraction) < right { // more digits are the number's own, not zeros
		mantissa, power, _ := strings.Cut(strconv.FormatFloat(v, 'e', right, 64), "e")
		d.whole, d.fraction, _ = strings.Cut(mantissa, ".")
		d.exponent = power
		if sign && d.whole[0] != '-' {
			d.whole = "+" + d.whole
		}
	}
	text := strings.Repeat(" ", left-len(d.whole)) + d.whole + "." + d.fraction
	if exponent {
		return text + "e" + d.exponent[:1] + strings.Repeat("0", exp-len(d.exponent)) + d.exponent[1:]
	}
	return text + strings.Repeat(" ", right-len(d.fraction))
}

// needsExponent is NumPy's rule: very large or small numbers, or both in one array.
func needsExponent(x []float64, bits int) bool {
	least, most := math.Inf(1), 0.0
	for _, v := range x {
		if a := math.Abs(v); a > 0 && !math.IsInf(a, 1) {
			least, most = min(least, a), max(most, a)
		}
	}
	if most == 0 {
		return false
	}
	limit := map[int]float64{16: 1e3, 32: 1e6, 64: 1e8}[bits] // as many digits as the type has for sure, at most eight
	ratio := most / least
	if bits == 32 {
		ratio = float64(float32(most) / float32(least))
	}
	return most >= limit || least < 0.0001 || ratio > 1000
}

// digits prints v in the fewest digits that identify it, at most eight behind the point.
func digits(v float64, bits int, exponent bool) decimal {
	text := fewest(v, bits)
	mantissa, power, _ := strings.Cut(text, "e")
	p, _ := strconv.Atoi(power) // FormatFloat writes a number
	if len(strings.TrimPrefix(mantissa, "-")) > 1+1+precision && exponent {
		mantissa, power, _ = strings.Cut(strconv.FormatFloat(v, 'e', precision, 64), "e")
		p, _ = strconv.Atoi(power)
		mantissa = strings.TrimRight(mantissa, "0")
	}
	if exponent {
		whole, fraction, _ := strings.Cut(mantissa, ".")
		return decimal{whole, fraction, fmt.Sprintf("%+03d", p)}
	}
	fixed := plain(mantissa, p)
	if _, fraction, _ := strings.Cut(fixed, "."); len(fraction) > precision {
		fixed = strconv.FormatFloat(v, 'f', precision, 64)
	}
	whole, fraction, _ := strings.Cut(fixed, ".")
	return decimal{whole: whole, fraction: strings.TrimRight(fraction, "0")}
}

// fewest is v with an exponent, in the fewest digits.
func fewest(v float64, bits int) string {
	if bits != 16 {
		return strconv.FormatFloat(v, 'e', -1, bits)
	}
	for p := 0; ; p++ {
		s := strconv.FormatFloat(v, 'e', p, 64)
		if back, err := strconv.ParseFloat(s, 64); p >= 4 || err == nil && ToFloat16(back) == ToFloat16(v) {
			return s
		}
	}
}

// plain is mantissa * 10^p without an exponent.
func plain(mantissa string, p int) string {
	sign := ""
	if strings.HasPrefix(mantissa, "-") {
		sign, mantissa = "-", mantissa[1:]
	}
	all := strings.Replace(mantissa, ".", "", 1)
	point := 1 + p
	switch {
	case point <= 0:
		all, point = strings.Repeat("0", 1-point)+all, 1
	case point > len(all):
		all += strings.Repeat("0", point-len(all))
	}
	return sign + all[:point] + "." + all[point:]
}
