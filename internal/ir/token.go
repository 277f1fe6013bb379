package ir

import (
	"fmt"
	"strconv"
	"strings"
)

// tokens reads one line of the text form from left to right.
type tokens struct{ s string }

// reset takes a new line, without its comment. Quoted names hold no slashes in pairs outside the quotes that end them.
func (t *tokens) reset(line string) {
	quoted := false
	for i := 0; i < len(line); i++ {
		switch {
		case quoted && line[i] == '\\':
			i++
		case line[i] == '"':
			quoted = !quoted
		case !quoted && strings.HasPrefix(line[i:], "//"):
			line = line[:i]
		}
	}
	t.s = line
	t.space()
}

func (t *tokens) space() { t.s = strings.TrimLeft(t.s, " \t\r") }

func (t *tokens) done() bool { return t.s == "" }

func (t *tokens) rest() string { return t.s }

// is reports whether s comes next; a word must end there.
func (t *tokens) is(s string) bool {
	if !strings.HasPrefix(t.s, s) {
		return false
	}
	return !isNameByte(s[0]) || len(t.s) == len(s) || !isNameByte(t.s[len(s)])
}

// accept reads s if it comes next.
func (t *tokens) accept(s string) bool {
	if s == "%" && strings.HasPrefix(t.s, s) { // glued to the word after it
		t.s = t.s[1:]
		return true
	}
	if !t.is(s) {
		return false
	}
	t.s = t.s[len(s):]
	t.space()
	return true
}

// word reads letters, digits and dots; "" if there are none.
func (t *tokens) word() string {
	n := 0
	for n < len(t.s) && isNameByte(t.s[n]) {
		n++
	}
	w := t.s[:n]
	t.s = t.s[n:]
	t.space()
	return w
}

// isID reports whether a letter and a number come next, such as v12.
func (t *tokens) isID(letter byte) bool {
	return len(t.s) > 1 && t.s[0] == letter && t.s[1] >= '0' && t.s[1] <= '9'
}

// maxID bounds ids, so that a hostile text cannot make tables larger than itself by much.
const maxID = 1 << 20

func (t *tokens) id(letter byte) (int, error) {
	if !t.isID(letter) {
		return 0, fmt.Errorf("want %c and a number, have %q", letter, t.s)
	}
	w := t.word()
	n, err := strconv.ParseUint(w[1:], 10, 32)
	if err != nil || n > maxID {
		return 0, fmt.Errorf("bad id %q", w)
	}
	return int(n), nil
}

func (t *tokens) int() (int, error) {
	neg := t.accept("-")
	w := t.word()
	n, err := strconv.ParseUint(w, 10, 31)
	if err != nil {
		return 0, fmt.Errorf("bad number %q", w)
	}
	if neg {
		return -int(n), nil
	}
	return int(n), nil
}

// bits reads a signed decimal or an unsigned hexadecimal number.
func (t *tokens) bits() (uint64, error) {
	neg := t.accept("-")
	t.accept("+")
	w := t.word()
	base, digits := 10, w
	if h, ok := strings.CutPrefix(w, "0x"); ok {
		base, digits = 16, h
	}
	n, err := strconv.ParseUint(digits, base, 64)
	if err != nil {
		return 0, fmt.Errorf("bad number %q", w)
	}
	if neg {
		n = -n
	}
	return n, nil
}

func (t *tokens) typ() (Type, error) {
	w := t.word()
	typ, ok := ParseType(w)
	if !ok {
		return Void, fmt.Errorf("unknown type %q", w)
	}
	return typ, nil
}

func (t *tokens) quoted() (string, error) {
	q, err := strconv.QuotedPrefix(t.s)
	if err != nil {
		return "", fmt.Errorf("want a quoted string, have %q", t.s)
	}
	t.s = t.s[len(q):]
	t.space()
	return strconv.Unquote(q)
}

// symbol reads @name or @"name".
func (t *tokens) symbol() (string, error) {
	if !strings.HasPrefix(t.s, "@") {
		return "", fmt.Errorf("want @ and a name, have %q", t.s)
	}
	t.s = t.s[1:]
	if strings.HasPrefix(t.s, `"`) {
		return t.quoted()
	}
	w := t.word()
	if w == "" {
		return "", fmt.Errorf("want a name, have %q", t.s)
	}
	return w, nil
}

func (t *tokens) sized() (bytes, align int, err error) {
	if bytes, err = t.int(); err != nil {
		return 0, 0, err
	}
	if !t.accept("align") {
		return 0, 0, fmt.Errorf("want align")
	}
	align, err = t.int()
	return bytes, align, err
}

func (t *tokens) threads() (n [3]int, err error) {
	for i := range n {
		if n[i], err = t.int(); err != nil {
			return n, err
		}
	}
	return n, nil
}

// pos reads a PTX line, and file:line of the source if it is there.
func (t *tokens) pos() (p Pos, err error) {
	line, err := t.int()
	if err != nil {
		return p, err
	}
	p.PTXLine = int32(line)
	if t.done() {
		return p, nil
	}
	file, err := t.int()
	if err != nil {
		return p, err
	}
	if file != int(int16(file)) {
		return p, fmt.Errorf("bad file number %d", file)
	}
	if !t.accept(":") {
		return p, fmt.Errorf("want : and a line")
	}
	line, err = t.int()
	p.File, p.Line = int16(file), int32(line)
	return p, err
}
