package ptx

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Source is one text for Link.
type Source struct {
	// Name is the file name for messages.
	Name string
	Text []byte
}

// Link makes one module of several. A function or variable that one text declares .extern and another defines .visible,
// .weak or .common is connected; of several .weak or .common definitions the first is taken. Internal names that two texts
// use are renamed in the later one. What nothing defines stays declared. Debug information is left out, positions
// (.loc) are kept. The header is the newest of the texts' versions and targets.
//
// The error is an ErrorList: texts that do not parse, and names that two texts define.
func Link(sources []Source) (*Module, error) {
	l := linker{defined: map[string]definition{}, used: map[string]bool{}}
	var errs ErrorList
	for _, s := range sources {
		m, err := Parse(s.Name, s.Text)
		if err != nil {
			return nil, err
		}
		if m, err = l.renamed(m, s); err != nil {
			return nil, err
		}
		l.modules = append(l.modules, m)
		l.define(m, &errs)
	}
	if err := errs.Err(); err != nil {
		return nil, err
	}
	out := l.header()
	for _, m := range l.modules {
		l.append(out, m)
	}
	return out, nil
}

// linker is a link under way.
type linker struct {
	modules []*Module
	defined map[string]definition // by name, of what other texts see
	used    map[string]bool       // all names of module scope
	files   uint32                // number of .file directives so far
	kept    map[string]bool       // declarations that stand in the result
}

// definition is where a name is defined for all.
type definition struct {
	file string
	decl Decl
	weak bool
}

// symbol returns what a declaration names, nothing for one that names nothing.
func symbol(d Decl) (name string, linkage Linkage, body bool) {
	switch d := d.(type) {
	case *Func:
		return d.Name, d.Linkage, d.Body != nil
	case *Var:
		return d.Name, d.Linkage, d.Linkage != Extern
	case *Alias:
		return d.Name, Visible, true
	}
	return "", Internal, false
}

// renamed gives internal names of a text that earlier texts use another name.
func (l *linker) renamed(m *Module, s Source) (*Module, error) {
	var clash []string
	for _, d := range m.Decls {
		if name, linkage, body := symbol(d); name != "" && linkage == Internal && body && l.used[name] {
			clash = append(clash, name)
		}
	}
	if len(clash) > 0 {
		text := s.Text
		for _, name := range clash {
			text = rename(text, name, l.fresh(name, text))
		}
		var err error
		if m, err = Parse(s.Name, text); err != nil {
			return nil, err
		}
	}
	for _, d := range m.Decls {
		if name, _, _ := symbol(d); name != "" {
			l.used[name] = true
		}
	}
	return m, nil
}

// fresh is a name that no text uses.
func (l *linker) fresh(name string, text []byte) string {
	for i := 1; ; i++ {
		n := fmt.Sprintf("%s$%d", name, i)
		if !l.used[n] && !strings.Contains(string(text), n) {
			return n
		}
	}
}

// word finds names, and passes over strings and comments.
var word = regexp.MustCompile(`"[^"\n]*"|//[^\n]*|(?s:/\*.*?\*/)|[A-Za-z_$%][A-Za-z0-9_$]*`)

func rename(text []byte, from, to string) []byte {
	return word.ReplaceAllFunc(text, func(w []byte) []byte {
		if string(w) == from {
			return []byte(to)
		}
		return w
	})
}

// define notes what a text defines for all.
func (l *linker) define(m *Module, errs *ErrorList) {
	for _, d := range m.Decls {
		name, linkage, body := symbol(d)
		if !body || linkage == Internal || linkage == Extern {
			continue
		}
		weak := linkage == Weak || linkage == Common
		old, there := l.defined[name]
		switch {
		case !there || old.weak && !weak:
			l.defined[name] = definition{m.Name, d, weak}
		case !weak:
			errs.Add(m.Name, d.At(), "%s is defined here and in %s", name, old.file)
		}
	}
}

// header is an empty module for all texts.
func (l *linker) header() *Module {
	out := &Module{Name: "linked"}
	target := -1
	for _, m := range l.modules {
		if v := m.Version; v != nil && (out.Version == nil || v.Major*10+v.Minor > out.Version.Major*10+out.Version.Minor) {
			out.Version = v
		}
		if t := m.Target; t != nil && architecture(t) > target {
			target, out.Target = architecture(t), t
		}
		if out.AddressSize == nil {
			out.AddressSize = m.AddressSize
		}
	}
	if out.Target != nil { // debug information is left out
		t := *out.Target
		t.Names = slices.DeleteFunc(slices.Clone(t.Names), func(n string) bool { return n == "debug" })
		out.Target = &t
	}
	return out
}

func architecture(t *Target) int {
	for _, n := range t.Names {
		if s, ok := strings.CutPrefix(n, "sm_"); ok {
			if v, err := strconv.Atoi(strings.TrimRight(s, "af")); err == nil {
				return v
			}
		}
	}
	return 0
}

// append appends the declarations of a text that stand in the result: each definition once, and each name that is only
// declared once as well.
func (l *linker) append(out *Module, m *Module) {
	if l.kept == nil {
		l.kept = map[string]bool{}
	}
	offset, most := l.files, l.files
	for _, d := range m.Decls {
		switch d := d.(type) {
		case *Section:
			continue
		case *File:
			f := *d
			f.Index += offset
			most = max(most, f.Index)
			out.Decls = append(out.Decls, &f)
			continue
		}
		name, linkage, body := symbol(d)
		def, defined := l.defined[name]
		switch {
		case name == "" || linkage == Internal:
		case body && defined && def.decl != d:
			continue // another definition is taken
		case !body && l.kept[name]:
			continue
		case !body:
			l.kept[name] = true
			if d = l.forward(d, def); d == nil {
				continue
			}
		}
		if f, ok := d.(*Func); ok && f.Body != nil {
			place(f.Body.Stmts, offset)
		}
		out.Decls = append(out.Decls, d)
	}
	l.files = most
	// A definition may stand behind its use in another text, which PTX does not allow for variables: they come first.
	slices.SortStableFunc(out.Decls, func(a, b Decl) int { return rank(a) - rank(b) })
}

// rank orders declarations: positions, declared names, variables, functions.
func rank(d Decl) int {
	switch d := d.(type) {
	case *File:
		return 0
	case *Var:
		if d.Linkage == Extern {
			return 1
		}
		return 3
	case *Func:
		if d.Body == nil {
			return 2
		}
		return 4
	}
	return 5
}

// forward makes a declaration one of the definition that was found: of a function that goes before its uses, and none of a
// variable, which stands before them itself.
func (l *linker) forward(d Decl, def definition) Decl {
	if def.decl == nil {
		return d
	}
	f, ok := d.(*Func)
	if !ok {
		return nil
	}
	out := *f
	_, out.Linkage, _ = symbol(def.decl)
	return &out
}

// place adds to the numbers of files, and leaves out what refers to debug information.
func place(stmts []Stmt, offset uint32) {
	for _, s := range stmts {
		switch s := s.(type) {
		case *Loc:
			s.File += offset
			s.Func, s.FuncOffset, s.InlinedAt = "", 0, nil
		case *Block:
			place(s.Stmts, offset)
		}
	}
}
