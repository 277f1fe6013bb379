package ptx

type tokenKind uint8

const (
	tokEOF    tokenKind = iota
	tokIdent            // name, %name, $name, _
	tokDot              // .name; text has no dot
	tokInt              // integer literal
	tokFloat            // 0f, 0d or decimal floating-point literal
	tokString           // text is what stands between the quotes
	tokPunct            // one of the characters in c, or a two-character operator in text
	tokBad              // a character that begins no token, or an unterminated string or comment
)

type token struct {
	kind tokenKind
	c    byte // tokPunct: first character
	pos  Pos
	off  int // byte offset of the first character
	text string
}

// scanner cuts text into tokens. Its state is small and copied to look ahead.
type scanner struct {
	src  string
	off  int
	line int32
	bol  int // offset of the first byte of the line
}

const (
	cIdent = 1 << iota // may stand within a name
	cStart             // may begin a name
	cDigit
	cHex
	cSpace
)

var charClass = func() (t [256]uint8) {
	for c := 'a'; c <= 'z'; c++ {
		t[c] |= cIdent | cStart
		t[c-32] |= cIdent | cStart
	}
	for c := '0'; c <= '9'; c++ {
		t[c] |= cIdent | cDigit | cHex
	}
	for _, c := range "abcdefABCDEF" {
		t[c] |= cHex
	}
	t['_'] |= cIdent | cStart
	t['$'] |= cIdent | cStart
	t['%'] |= cStart
	for _, c := range " \t\r\v\f" {
		t[c] |= cSpace
	}
	return t
}()

// space skips blanks and comments. It reports false for a comment without end.
func (s *scanner) space() bool {
	for s.off < len(s.src) {
		c := s.src[s.off]
		switch {
		case c == '\n':
			s.off++
			s.line++
			s.bol = s.off
		case charClass[c]&cSpace != 0:
			s.off++
		case c == '/' && s.off+1 < len(s.src) && s.src[s.off+1] == '/':
			for s.off < len(s.src) && s.src[s.off] != '\n' {
				s.off++
			}
		case c == '/' && s.off+1 < len(s.src) && s.src[s.off+1] == '*':
			if !s.block() {
				return false
			}
		default:
			return true
		}
	}
	return true
}

func (s *scanner) block() bool {
	start := *s
	for s.off += 2; s.off < len(s.src); s.off++ {
		switch s.src[s.off] {
		case '\n':
			s.line++
			s.bol = s.off + 1
		case '*':
			if s.off+1 < len(s.src) && s.src[s.off+1] == '/' {
				s.off += 2
				return true
			}
		}
	}
	*s = start
	return false
}

func (s *scanner) pos() Pos { return Pos{Line: s.line, Col: int32(s.off - s.bol + 1)} }

// scan makes t the next token, in its place: tokens are many, and copying one takes as long as reading it.
func (s *scanner) scan(t *token) {
	ok := s.space()
	t.kind, t.c, t.pos, t.off, t.text = tokEOF, 0, s.pos(), s.off, ""
	if !ok {
		t.kind, t.text = tokBad, "comment without end"
		s.off = len(s.src)
		return
	}
	if s.off >= len(s.src) {
		return
	}
	c := s.src[s.off]
	switch class := charClass[c]; {
	case class&cStart != 0 && (c != '%' || s.at(1)&cIdent != 0):
		t.kind = tokIdent
		s.off++
		s.ident()
	case class&cDigit != 0:
		t.kind = s.number()
	case c == '.' && s.at(1)&cIdent != 0:
		t.kind = tokDot
		s.off++
		s.modifier()
		t.text = s.src[t.off+1 : s.off]
		return
	case c == '"':
		s.quoted(t)
		return
	default:
		s.punct(t)
	}
	t.text = s.src[t.off:s.off]
}

// ahead is the token after the one that was read last.
func (s scanner) ahead() (t token) {
	s.scan(&t)
	return t
}

// at returns the class of the character n places ahead, 0 at the end.
func (s *scanner) at(n int) uint8 {
	if s.off+n < len(s.src) {
		return charClass[s.src[s.off+n]]
	}
	return 0
}

func (s *scanner) ident() {
	for s.off < len(s.src) && charClass[s.src[s.off]]&cIdent != 0 {
		s.off++
	}
}

// modifier goes to the end of a modifier, whose parts may be joined by "::".
func (s *scanner) modifier() {
	for {
		s.ident()
		if s.off+2 < len(s.src) && s.src[s.off] == ':' && s.src[s.off+1] == ':' && s.at(2)&cIdent != 0 {
			s.off += 2
			continue
		}
		return
	}
}

// number goes to the end of a number. PTX ISA, Constants: decimal, 0 octal, 0x, 0b, suffix U; 0f with eight and 0d with
// sixteen hexadecimal digits; decimal floating point.
func (s *scanner) number() tokenKind {
	start := s.off
	if s.src[s.off] == '0' && s.off+1 < len(s.src) {
		digits := 0
		switch s.src[s.off+1] {
		case 'f', 'F':
			digits = 8
		case 'd', 'D':
			digits = 16
		case 'x', 'X', 'b', 'B':
			s.off += 2
			s.ident()
			return tokInt
		}
		if digits > 0 {
			s.off += 2
			s.ident()
			if s.off-start != digits+2 {
				return tokBad
			}
			for _, c := range []byte(s.src[start+2 : s.off]) {
				if charClass[c]&cHex == 0 {
					return tokBad
				}
			}
			return tokFloat
		}
	}
	for s.at(0)&cDigit != 0 {
		s.off++
	}
	kind := tokInt
	if s.off+1 < len(s.src) && s.src[s.off] == '.' && s.at(1)&cDigit != 0 {
		kind = tokFloat
		for s.off++; s.at(0)&cDigit != 0; {
			s.off++
		}
	}
	if s.off < len(s.src) && (s.src[s.off] == 'e' || s.src[s.off] == 'E') {
		n := 1
		if s.off+1 < len(s.src) && (s.src[s.off+1] == '+' || s.src[s.off+1] == '-') {
			n = 2
		}
		if s.at(n)&cDigit != 0 {
			kind = tokFloat
			for s.off += n; s.at(0)&cDigit != 0; {
				s.off++
			}
		}
	}
	if kind == tokInt && s.off < len(s.src) && (s.src[s.off] == 'U' || s.src[s.off] == 'u') {
		s.off++
	}
	if s.at(0)&cIdent != 0 { // 12abc
		s.ident()
		return tokBad
	}
	return kind
}

// quoted reads a string; a backslash keeps the next character from ending it. Strings end with their line.
func (s *scanner) quoted(t *token) {
	for s.off++; s.off < len(s.src) && s.src[s.off] != '\n'; s.off++ {
		switch s.src[s.off] {
		case '\\':
			if s.off+1 < len(s.src) && s.src[s.off+1] != '\n' {
				s.off++
			}
		case '"':
			t.kind, t.text = tokString, s.src[t.off+1:s.off]
			s.off++
			return
		}
	}
	t.kind, t.text = tokBad, "string without end"
}

func (s *scanner) punct(t *token) {
	t.kind, t.c = tokPunct, s.src[s.off]
	s.off++
	two := byte(0)
	if s.off < len(s.src) {
		two = s.src[s.off]
	}
	switch t.c {
	case '<', '>', '=', '!', '&', '|':
		switch {
		case two == '=' && t.c != '&' && t.c != '|',
			two == t.c && t.c != '=' && t.c != '!':
			s.off++
		}
	case ';', ',', ':', '{', '}', '[', ']', '(', ')', '+', '-', '*', '/', '%', '~', '^', '?', '@', '.':
	default:
		t.kind = tokBad
	}
}

// is reports whether the token is that one-character mark.
func (t *token) is(c byte) bool { return t.c == c && t.kind == tokPunct && len(t.text) == 1 }

// describe names a token in messages.
func (t *token) describe() string {
	switch t.kind {
	case tokEOF:
		return "end of file"
	case tokDot:
		return "." + t.text
	case tokString:
		return "string"
	}
	if len(t.text) > 40 {
		return t.text[:40] + "..."
	}
	return t.text
}
