package ptx

// variables reads a declaration with one or more names and hands each to add.
func (p *parser) variables(pos Pos, linkage Linkage, add func(*Var)) bool {
	head := Var{Pos: pos, Linkage: linkage}
	if !p.varType(&head) {
		return false
	}
	for {
		v := head
		if !p.declarator(&v) {
			return false
		}
		if p.accept('=') {
			init, ok := p.initialiser()
			if !ok {
				return false
			}
			v.Init = &init
		}
		add(&v)
		if !p.accept(',') {
			return p.expect(';')
		}
	}
}

// varType reads space, attributes, alignment, vector width, type and .ptr annotation, up to the name.
func (p *parser) varType(v *Var) bool {
	space, ok := SpaceNamed(p.tok.text)
	if p.tok.kind != tokDot || !ok {
		return p.fail("a state space")
	}
	v.Space = space
	p.next()
	for p.tok.kind == tokDot {
		t := p.tok
		switch t.text {
		case "align":
			n, ok := p.align()
			if !ok {
				return false
			}
			if v.Ptr != nil {
				v.Ptr.Align = n
			} else {
				v.Align = n
			}
			continue
		case "v2", "v4", "v8":
			if v.Vec != 0 {
				p.errorf(t.pos, "second vector width .%s", t.text)
			}
			v.Vec = int(t.text[1] - '0')
		case "ptr":
			v.Ptr = &Ptr{}
		case "attribute":
			if !p.attributes(&v.Attrs) {
				return false
			}
			continue
		default:
			if typ := TypeNamed(t.text); typ != NoType {
				if v.Type != NoType {
					p.errorf(t.pos, "second type .%s after .%s", typ, v.Type)
				}
				v.Type = typ
			} else if space, ok := SpaceNamed(t.text); ok && v.Ptr != nil {
				v.Ptr.Space = space
			} else {
				p.errorf(t.pos, "unknown type or annotation .%s", t.text)
				return false
			}
		}
		p.next()
	}
	if v.Type == NoType {
		return p.fail("a type")
	}
	return true
}

func (p *parser) align() (int, bool) {
	p.next()
	n, ok := p.uint(1 << 30)
	return int(n), ok
}

// attributes reads .attribute(name, name(args), ...).
func (p *parser) attributes(list *[]Attr) bool {
	p.next()
	if !p.expect('(') {
		return false
	}
	for {
		if p.tok.kind != tokDot {
			return p.fail("an attribute")
		}
		a := Attr{Name: p.tok.text}
		p.next()
		if p.accept('(') {
			for {
				n, ok := p.uint(1<<64 - 1)
				if !ok {
					return false
				}
				a.Args = append(a.Args, n)
				if !p.accept(',') {
					break
				}
			}
			if !p.expect(')') {
				return false
			}
		}
		*list = append(*list, a)
		if !p.accept(',') {
			return p.expect(')')
		}
	}
}

// declarator reads a name, a range <n> and array dimensions.
func (p *parser) declarator(v *Var) (ok bool) {
	if v.Name, v.NamePos, ok = p.name("a name"); !ok {
		return false
	}
	if p.accept('<') {
		n, ok := p.uint(1 << 31)
		if !ok || !p.expect('>') {
			return false
		}
		v.Ranged, v.Count = true, int(n)
	}
	for p.accept('[') {
		if p.accept(']') {
			v.Dims = append(v.Dims, Unsized)
			continue
		}
		at := p.tok.pos
		n, ok := p.constInt()
		if !ok || !p.expect(']') {
			return false
		}
		if n < 0 {
			p.errorf(at, "negative array size %d", n)
			n = 0
		}
		v.Dims = append(v.Dims, n)
	}
	return true
}

// initialiser reads a constant, an address, or a list of initialisers.
func (p *parser) initialiser() (init Init, ok bool) {
	init.Pos = p.tok.pos
	switch {
	case p.tok.is('{'):
		return p.initList()
	case p.tok.kind == tokIdent && p.tok.text != warpSize:
		return p.initName()
	}
	v, ok := p.constant()
	if !ok {
		return init, false
	}
	init.Kind, init.Val, init.Unsigned = v.init(), v.bits, v.kind == cUint
	if p.tok.is('(') && init.Kind == InitInt { // 0xFF00(name): the byte of an address that the mask picks
		mask := v.bits
		p.next()
		if init, ok = p.initName(); !ok {
			return init, false
		}
		if init.Kind != InitSymbol || mask == 0 {
			p.errorf(init.Pos, "a mask other than zero and an address are needed")
			return init, false
		}
		init.Mask = mask
		return init, p.expect(')')
	}
	return init, true
}

func (p *parser) initList() (init Init, ok bool) {
	init = Init{Pos: p.tok.pos, Kind: InitList, Elems: []Init{}}
	if !p.enter() {
		return init, false
	}
	defer p.leave()
	p.next()
	for !p.tok.is('}') {
		elem, ok := p.initialiser()
		if !ok {
			return init, false
		}
		init.Elems = append(init.Elems, elem)
		if !p.accept(',') {
			break
		}
	}
	return init, p.expect('}')
}

// initName reads name, name+offset, generic(name)+offset, mask(...) and field = value.
func (p *parser) initName() (init Init, ok bool) {
	init = Init{Pos: p.tok.pos, Kind: InitSymbol}
	if init.Name, _, ok = p.name("a name"); !ok {
		return init, false
	}
	if init.Name == "generic" && p.tok.is('(') {
		p.next()
		init.Generic = true
		if init.Name, _, ok = p.name("a name"); !ok || !p.expect(')') {
			return init, false
		}
	}
	if p.tok.is('=') && !init.Generic {
		p.next()
		init.Kind = InitField
		if !p.enter() {
			return init, false
		}
		defer p.leave()
		elem, ok := p.initialiser()
		init.Elems = []Init{elem}
		return init, ok
	}
	init.Val, ok = p.offset()
	return init, ok
}

// offset reads any number of "+ constant" and "- constant" and returns their sum.
func (p *parser) offset() (sum uint64, ok bool) {
	for p.tok.is('+') || p.tok.is('-') {
		minus := p.tok.is('-')
		at := p.tok.pos
		p.next()
		v, ok := p.binary(precMul)
		if !ok {
			return 0, false
		}
		if v.kind == cFloat {
			p.errorf(at, "offset is not an integer")
		}
		if minus {
			sum -= v.bits
		} else {
			sum += v.bits
		}
	}
	return sum, true
}
