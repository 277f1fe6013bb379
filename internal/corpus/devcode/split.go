package devcode

import (
	"regexp"
	"strings"
)

// chunk is a piece of a source file at the outermost level: a declaration, a definition, or a preprocessor line.
type chunk struct {
	text string
	line int // of its first character, 1-based
	keep bool
	// device is whether it defines or declares something for the device.
	device bool
}

// split divides CUDA C++ into chunks, which together are the text. What is inside namespaces and extern "C" blocks is divided
// too. It does not have to understand the language: brackets, strings, comments and line ends are enough.
func split(text string) (out []chunk) {
	line := 1
	for len(text) > 0 {
		n := next(text)
		c := chunk{text: text[:n], line: line}
		c.line += strings.Count(c.text[:len(c.text)-len(strings.TrimLeft(c.text, " \t\r\n"))], "\n")
		c.judge()
		out = append(out, c)
		line += strings.Count(c.text, "\n")
		text = text[n:]
	}
	return out
}

var opens = regexp.MustCompile(`^\s*(inline\s+)?(namespace(\s+[\w:]+)?|extern\s*"C"(\s*\+\+)?)\s*$`)

// next returns the length of the first chunk of text.
func next(text string) int {
	i := 0
	for i < len(text) && strings.ContainsRune(" \t\r\n", rune(text[i])) {
		i++
	}
	begin := i
	if i < len(text) && text[i] == '#' {
		return lineEnd(text, i)
	}
	depth, parens := 0, 0
	for i < len(text) {
		if n := skip(text, i); n > i {
			i = n
			if depth == 0 && parens == 0 && blank(text[begin:i]) {
				return i
			}
			continue
		}
		switch text[i] {
		case '#':
			if strings.TrimSpace(text[strings.LastIndexByte(text[:i], '\n')+1:i]) == "" {
				i = lineEnd(text, i)
				continue
			}
		case '(', '[':
			parens++
		case ')', ']':
			parens--
		case '{':
			if depth == 0 && opens.MatchString(text[begin:i]) {
				return i + 1
			}
			depth++
		case '}':
			if depth--; depth < 0 {
				return i + 1 // closes a namespace
			}
			if depth == 0 && !continues(text[begin:i]) {
				return i + 1
			}
		case ';':
			if depth == 0 && parens <= 0 {
				return i + 1
			}
		}
		i++
	}
	return len(text)
}

// blank reports whether there is nothing but comments.
func blank(s string) bool {
	s = strings.TrimSpace(s)
	for s != "" {
		n := skip(s, 0)
		if n == 0 || s[0] == '"' || s[0] == '\'' {
			return false
		}
		s = strings.TrimSpace(s[n:])
	}
	return true
}

var typeHead = regexp.MustCompile(`^\s*(template\s*<[^{}]*>\s*)?(typedef|struct|class|union|enum)\b[^()]*$`)

// continues reports whether a declaration that has come to a closing bracket goes on to a semicolon.
func continues(s string) bool {
	head := s[:strings.IndexByte(s, '{')]
	return typeHead.MatchString(uncommented(head)) || strings.Contains(unbracketed(uncommented(head)), "=")
}

// unbracketed leaves out what stands in parentheses, such as default arguments.
func unbracketed(s string) string {
	depth := 0
	return strings.Map(func(c rune) rune {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		default:
			if depth == 0 {
				return c
			}
		}
		return -1
	}, s)
}

// skip returns the end of the comment, string or character that begins at i, i if none does.
func skip(s string, i int) int {
	switch {
	case strings.HasPrefix(s[i:], "//"):
		return lineEnd(s, i)
	case strings.HasPrefix(s[i:], "/*"):
		if n := strings.Index(s[i+2:], "*/"); n >= 0 {
			return i + 2 + n + 2
		}
		return len(s)
	case s[i] == '"' || s[i] == '\'':
		for j := i + 1; j < len(s); j++ {
			switch s[j] {
			case '\\':
				j++
			case s[i]:
				return j + 1
			case '\n':
				return j
			}
		}
		return len(s)
	}
	return i
}

// lineEnd returns the index behind the line of i, with the lines that continue it.
func lineEnd(s string, i int) int {
	for i < len(s) {
		if s[i] == '\n' && !strings.HasSuffix(strings.TrimRight(s[:i], "\r"), "\\") {
			return i + 1
		}
		i++
	}
	return i
}

var comment = regexp.MustCompile(`(?s)/\*.*?\*/|//[^\n]*`)

func uncommented(s string) string { return comment.ReplaceAllString(s, " ") }

var (
	deviceWord = regexp.MustCompile(`\b(__global__|__device__|__constant__|__managed__)`)
	keptHead   = regexp.MustCompile(`^(template\s*<[^{}()]*>\s*)?(typedef|struct|class|union|enum|using|static_assert|texture|surface)\b|^namespace\s+\w+\s*=`)
	constant   = regexp.MustCompile(`^(static\s+)?(const|constexpr)\s|^(static\s+)?\w+\s+const\s`)
)

// judge decides whether the compiler of device code shall see the chunk.
func (c *chunk) judge() {
	s := strings.TrimSpace(uncommented(c.text))
	head := s
	if i := strings.IndexByte(s, '{'); i >= 0 {
		head = s[:i]
	}
	c.device = deviceWord.MatchString(head) || strings.HasPrefix(s, "struct") && deviceWord.MatchString(s)
	c.keep = s == "" || s[0] == '#' || s == "}" || opens.MatchString(head) || c.device || keptHead.MatchString(head) ||
		constant.MatchString(head) && !strings.Contains(head, "(") && !strings.Contains(head, "std::")
}

// join writes the chunks that are kept, and empty lines for the others, so that lines keep their numbers.
func join(chunks []chunk) string {
	var b strings.Builder
	for _, c := range chunks {
		if c.keep {
			b.WriteString(c.text)
		} else {
			// Conditions inside belong to others outside, where a file is cut in odd places.
			for _, line := range strings.SplitAfter(c.text, "\n") {
				if conditional.MatchString(line) {
					b.WriteString(line)
				} else if strings.HasSuffix(line, "\n") {
					b.WriteByte('\n')
				}
			}
		}
	}
	return b.String()
}

var conditional = regexp.MustCompile(`^\s*#\s*(if|ifdef|ifndef|else|elif|endif)\b`)

var globalName = regexp.MustCompile(`(?s)__global__\b.*?\b(\w+)\s*\(`)

// kernels returns the names of kernels that a text defines.
func kernels(text string) (names []string) {
	for _, c := range split(text) {
		if m := globalName.FindStringSubmatch(strings.ReplaceAll(uncommented(c.text), "__launch_bounds__(", "bounds ")); m != nil && strings.Contains(c.text, "{") {
			names = append(names, m[1])
		}
	}
	return names
}
