package ptx

import (
	"github.com/tandem-go/tandem/internal/ksig"
)

// Headers reads the headers of the kernels that PTX text defines, in the order of the text, and nothing else of it:
// bodies are skipped whatever stands in them, and so are directives it does not know. It is meant for code that runs on
// a GPU, whose driver is the judge of the rest. The error, an ErrorList, names kernels whose own header could not be
// read; the signatures of the others are returned beside it.
func Headers(src []byte) ([]ksig.Signature, error) {
	p := newParser("ptx", src)
	var sigs []ksig.Signature
	seen := make(map[string]int)
	for p.tok.kind != tokEOF && !p.errs.Full() {
		switch {
		case p.tok.is('{'):
			p.skipBraces()
		case p.tok.kind == tokDot && p.tok.text == "entry":
			sig, body, ok := p.header()
			if !ok {
				continue
			}
			if i, again := seen[sig.Entry]; again {
				if body { // the definition after a forward declaration
					sigs[i] = sig
				}
				continue
			}
			seen[sig.Entry] = len(sigs)
			sigs = append(sigs, sig)
		default:
			p.next()
		}
	}
	return sigs, p.errs.Err()
}

// skipBraces goes behind the brace that closes the one at hand, or to the end of the text.
func (p *parser) skipBraces() {
	for depth := 0; p.tok.kind != tokEOF; {
		switch {
		case p.tok.is('{'):
			depth++
		case p.tok.is('}'):
			depth--
		}
		p.next()
		if depth == 0 {
			return
		}
	}
}

// header reads from .entry to the body, or to the semicolon of a declaration.
func (p *parser) header() (sig ksig.Signature, body, ok bool) {
	p.next()
	for p.tok.kind == tokDot { // .attribute(...) and what may come
		p.next()
		if p.tok.is('(') {
			p.skipParens()
		}
	}
	if sig.Entry, _, ok = p.name("the name of a kernel"); !ok {
		return sig, false, false
	}
	if p.accept('(') {
		for !p.tok.is(')') {
			param, ok := p.headerParam()
			if !ok {
				return sig, false, false
			}
			sig.Params = append(sig.Params, param)
			if !p.accept(',') {
				break
			}
		}
		if !p.expect(')') {
			return sig, false, false
		}
	}
	sig.Lay()
	for !p.tok.is('{') && !p.tok.is(';') && p.tok.kind != tokEOF {
		switch {
		case p.tok.kind == tokDot && p.tok.text == "maxntid":
			p.next()
			sig.MaxThreads = p.dims()
		case p.tok.kind == tokDot && p.tok.text == "reqntid":
			p.next()
			sig.ReqThreads = p.dims()
		case p.tok.kind == tokDot && p.tok.text == "pragma":
			for p.next(); p.tok.kind == tokString || p.tok.is(','); {
				p.next()
			}
			p.accept(';')
		default:
			p.next()
		}
	}
	return sig, p.tok.is('{'), true
}

// skipParens goes behind the parenthesis that closes the one at hand.
func (p *parser) skipParens() {
	for depth := 0; p.tok.kind != tokEOF; {
		switch {
		case p.tok.is('('):
			depth++
		case p.tok.is(')'):
			depth--
		}
		p.next()
		if depth == 0 {
			return
		}
	}
}

// dims reads one to three numbers with commas between them.
func (p *parser) dims() (dims [3]int) {
	for i := 0; i < len(dims) && p.tok.kind == tokInt; i++ {
		n, _ := p.uint(1<<31 - 1)
		dims[i] = int(n)
		if !p.accept(',') {
			break
		}
	}
	return dims
}

// headerParam reads one parameter. Annotations it does not know are passed over; a type it does not know is an error,
// since the offsets of the parameters behind it depend on its size.
func (p *parser) headerParam() (param ksig.Param, ok bool) {
	at := p.tok.pos
	if p.tok.kind != tokDot {
		return param, p.fail(".param")
	}
	v := Var{Space: ParamSpace}
	for ptr := false; p.tok.kind == tokDot; {
		switch word := p.tok.text; word {
		case "align":
			n, ok := p.align()
			if !ok {
				return param, false
			}
			if !ptr {
				v.Align = n
			}
			continue
		case "ptr":
			ptr = true
		case "v2", "v4", "v8":
			v.Vec = int(word[1] - '0')
		default:
			if typ := TypeNamed(word); typ != NoType {
				v.Type = typ
			}
		}
		p.next()
		if p.tok.is('(') {
			p.skipParens()
		}
	}
	if !p.declarator(&v) {
		return param, false
	}
	if v.Type.Size() == 0 {
		p.errorf(at, "parameter %s has no known type", v.Name)
		return param, false
	}
	if param, ok = layParam(&v); !ok {
		p.errorf(at, "parameter %s is too large", v.Name)
	}
	return param, ok
}

// layParam returns name, size, alignment and class of a kernel parameter; its offset comes with Signature.Lay. ok is
// false if it is larger than 1 GiB.
func layParam(v *Var) (param ksig.Param, ok bool) {
	n, ok := v.Len()
	if !ok || n > 1<<30/int64(max(v.ElemSize(), 1)) {
		return param, false
	}
	param = ksig.Param{Name: v.Name, Size: int(n) * v.ElemSize(), Align: v.Alignment(), Class: ksig.Integer}
	switch {
	case v.Dims != nil || v.Vec != 0:
		param.Class = ksig.Aggregate
	case v.Type.Class() == Float:
		param.Class = ksig.Float
	case v.Type.Class() == OpaqueType || v.Type == Pred:
		param.Class = ksig.Unknown
	}
	return param, true
}
