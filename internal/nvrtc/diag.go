package nvrtc

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Severity says how grave a diagnostic is; the order is ascending.
type Severity uint8

// The severities, with NVRTC's words for them.
const (
	SeverityRemark Severity = iota
	SeverityWarning
	SeverityError
	SeverityFatal // catastrophic or internal error: the compiler gave up
)

// String returns the word that diagnostics are printed with.
func (s Severity) String() string {
	return [...]string{"remark", "warning", "error", "fatal error"}[s&3]
}

// Diagnostic is one message of the compiler.
type Diagnostic struct {
	// File is the name as the program gave it; empty if the message has no position, as for a bad option. Messages of
	// the assembler, about the generated PTX, have the file "(PTX)".
	File string
	// Line and Column are 1-based; 0 where the compiler did not say. NVRTC tells the column since version 12.
	Line, Column int
	Severity     Severity
	// Number is the compiler's number of the message, which --diag-suppress takes; 0 if it was not shown.
	Number int
	// Message is the message's first line.
	Message string
	// Source is the source line, if the compiler showed it.
	Source string
	// Notes are further lines, such as the instantiation that the message arose in.
	Notes []string
}

// String formats the diagnostic as FILE:LINE:COLUMN: SEVERITY: MESSAGE, leaving out what is not known.
func (d *Diagnostic) String() string {
	var b strings.Builder
	if d.File != "" {
		b.WriteString(d.File)
		for _, n := range [...]int{d.Line, d.Column} {
			if n > 0 {
				fmt.Fprintf(&b, ":%d", n)
			}
		}
		b.WriteString(": ")
	}
	fmt.Fprintf(&b, "%v: %s", d.Severity, d.Message)
	return b.String()
}

// The heads of messages, in the order in which they are tried. Each has the groups file, line, column, severity, number
// and message, or some of them.
var heads = []*regexp.Regexp{
	regexp.MustCompile(`^(?P<file>\S.*?)\((?P<line>[0-9]+)\): (?P<severity>catastrophic error|internal error|error|warning|remark|note)(?: #(?P<number>[0-9]+)(?:-D)?)?: (?P<message>.*)$`),
	regexp.MustCompile(`^nvrtc: (?P<severity>error|warning|remark)\s*: (?P<message>.*)$`),
	regexp.MustCompile(`^(?P<ptx>ptxas) .*?, line (?P<line>[0-9]+); (?P<severity>error|fatal|warning|info)\s*: (?P<message>.*)$`),
	regexp.MustCompile(`^(?P<ptx>ptxas) (?P<severity>error|fatal|warning|info)\s*: (?P<message>.*)$`),
	regexp.MustCompile(`^(?P<severity>remark|warning|error): (?P<file>\S.*?):(?P<line>[0-9]+):(?P<column>[0-9]+): (?P<message>.*)$`),
	regexp.MustCompile(`^(?P<severity>catastrophic error|internal error|error|warning)(?: #(?P<number>[0-9]+)(?:-D)?)?: (?P<message>.*)$`),
}

var severities = map[string]Severity{
	"remark": SeverityRemark, "info": SeverityRemark, "warning": SeverityWarning, "error": SeverityError,
	"fatal": SeverityFatal, "catastrophic error": SeverityFatal, "internal error": SeverityFatal,
}

var (
	caret = regexp.MustCompile(`^\s*\^\s*$`)
	// tail matches what the compiler prints about the log itself.
	tail = regexp.MustCompile(`^([0-9]+ (catastrophic )?errors? .*detected in the compilation of .*|Compilation terminated\.|Remark: The warnings can be suppressed .*|Error limit reached\.)$`)
)

// sourceIndent is what the compiler puts before a source line and before the caret under it.
const sourceIndent = 2

// ParseLog reads the messages of a compile log of any version of NVRTC. Lines that it does not know become notes of
// the message before them, so nothing of importance is lost; the log itself remains the last word.
func ParseLog(log string) []Diagnostic {
	var out []Diagnostic
	lines := strings.Split(strings.ReplaceAll(log, "\r\n", "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		if strings.TrimSpace(line) == "" || tail.MatchString(line) {
			continue
		}
		if d, ok := parseHead(line); ok {
			// The source line and its caret come right below the message.
			if i+2 < len(lines) && strings.HasPrefix(lines[i+1], "  ") && caret.MatchString(lines[i+2]) {
				d.Source = lines[i+1][sourceIndent:]
				d.Column = max(0, strings.IndexByte(lines[i+2], '^')-sourceIndent+1)
				i += 2
			}
			if n := len(out); d.isNote && n > 0 {
				out[n-1].Notes = append(out[n-1].Notes, line)
			} else {
				out = append(out, d.Diagnostic)
			}
			continue
		}
		if n := len(out); n > 0 {
			out[n-1].Notes = append(out[n-1].Notes, strings.TrimSpace(line))
		}
	}
	return nameExpressions(out)
}

// parsed is a diagnostic as its first line gives it. A note belongs to the diagnostic before it.
type parsed struct {
	Diagnostic
	isNote bool
}

func parseHead(line string) (d parsed, ok bool) {
	for _, re := range heads {
		m := re.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		for i, name := range re.SubexpNames() {
			n, _ := strconv.Atoi(m[i]) // only digits where it matters; 0 for what is absent or out of range
			switch name {
			case "file":
				d.File = m[i]
			case "ptx":
				d.File = "(PTX)"
			case "line":
				d.Line = n
			case "column":
				d.Column = n
			case "number":
				d.Number = n
			case "severity":
				d.Severity, d.isNote = severities[m[i]], m[i] == "note"
			case "message":
				d.Message = strings.TrimSpace(m[i])
			}
		}
		return d, true
	}
	return d, false
}

var badExpression = regexp.MustCompile(`^Error in parsing name expression .* Input name expression was: " ?(.*)"$`)

// nameExpressions gives messages about a name expression its text as their file. NVRTC reports them in a file of its
// own making, one line for each expression, and closes each group with a message that quotes the expression.
func nameExpressions(list []Diagnostic) []Diagnostic {
	const file = "__nv_name_map"
	expr := map[int]string{}
	count := map[int]int{}
	for _, d := range list {
		if d.File == file {
			count[d.Line]++
			if m := badExpression.FindStringSubmatch(d.Message); m != nil {
				expr[d.Line] = m[1]
			}
		}
	}
	var out []Diagnostic
	for _, d := range list {
		if e, ok := expr[d.Line]; ok && d.File == file {
			if count[d.Line] > 1 && badExpression.MatchString(d.Message) {
				continue // the messages before say what is wrong
			}
			d.File, d.Line, d.Column, d.Source = "name expression "+strconv.Quote(e), 0, 0, ""
		}
		out = append(out, d)
	}
	return out
}
