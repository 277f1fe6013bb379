package debuginfo

import (
	"debug/dwarf"
	"strconv"
	"strings"
)

// spell writes the type d as C++ does around the declarator inner: "int (*)[5]" is int around (*)[5].
func (t *typer) spell(d *die, inner string, depth int) (string, error) {
	if t.count++; t.count > maxTypes {
		return "", errTooLarge
	}
	if depth > maxDepth {
		return "", errTooDeep
	}
	if d == nil {
		return join("void", inner), nil
	}
	target := t.info.typeOf(d)
	switch d.Tag {
	case dwarf.TagPointerType:
		return t.spell(target, t.around("*", inner, target), depth+1)
	case dwarf.TagReferenceType:
		return t.spell(target, t.around("&", inner, target), depth+1)
	case dwarf.TagRvalueReferenceType:
		return t.spell(target, t.around("&&", inner, target), depth+1)
	case dwarf.TagConstType:
		return t.qualified("const", target, inner, depth)
	case dwarf.TagVolatileType:
		return t.qualified("volatile", target, inner, depth)
	case dwarf.TagRestrictType:
		return t.qualified("__restrict__", target, inner, depth)
	case dwarf.TagArrayType:
		return t.spell(target, inner+brackets(t.dimensions(d)), depth+1)
	case dwarf.TagSubroutineType:
		return t.function(d, inner, depth)
	}
	name := demangle(t.info.text(d, dwarf.AttrName))
	if name == "" {
		name = map[dwarf.Tag]string{dwarf.TagStructType: "struct", dwarf.TagClassType: "class",
			dwarf.TagUnionType: "union", dwarf.TagEnumerationType: "enum"}[d.Tag]
		name += " {…}"
	}
	return join(name, inner), nil
}

// around puts * or & before a declarator, in parentheses where an array or a function would bind first.
func (t *typer) around(mark, inner string, target *die) string {
	mark += inner
	if target != nil && (target.Tag == dwarf.TagArrayType || target.Tag == dwarf.TagSubroutineType) {
		return "(" + mark + ")"
	}
	return mark
}

// qualified puts a qualifier after a pointer's mark, or before any other type.
func (t *typer) qualified(word string, target *die, inner string, depth int) (string, error) {
	bare := target
	for i := 0; i < maxDepth && bare != nil && isQualifier(bare); i++ {
		bare = t.info.typeOf(bare)
	}
	if bare != nil && (bare.Tag == dwarf.TagPointerType || bare.Tag == dwarf.TagReferenceType) {
		return t.spell(target, join(word, inner), depth+1)
	}
	s, err := t.spell(target, inner, depth+1)
	return word + " " + s, err
}

// function writes a function type.
func (t *typer) function(d *die, inner string, depth int) (string, error) {
	var params []string
	for _, c := range d.children {
		if c.Tag != dwarf.TagFormalParameter {
			continue
		}
		p, err := t.spell(t.info.typeOf(c), "", depth+1)
		if err != nil {
			return "", err
		}
		params = append(params, p)
	}
	return t.spell(t.info.typeOf(d), inner+"("+strings.Join(params, ", ")+")", depth+1)
}

func join(name, inner string) string {
	if inner == "" || inner[0] == '[' {
		return name + inner
	}
	return name + " " + inner
}

// demangle writes the mangled names that NVRTC before 13 gives to types in namespaces, _ZN2ns1QE, as ns::Q. Other
// mangled names, those of template instances, stay as they are.
func demangle(name string) string {
	rest, ok := strings.CutPrefix(name, "_ZN")
	if rest, ok = strings.CutSuffix(rest, "E"); !ok || !strings.HasPrefix(name, "_ZN") {
		return name
	}
	var parts []string
	for rest != "" {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		n, err := strconv.Atoi(rest[:digits])
		if err != nil || n <= 0 || n > len(rest)-digits {
			return name
		}
		parts = append(parts, rest[digits:digits+n])
		rest = rest[digits+n:]
	}
	if parts == nil {
		return name
	}
	return strings.Join(parts, "::")
}
