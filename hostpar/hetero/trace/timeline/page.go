package timeline

import (
	"bufio"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"sync"
	"time"

	"github.com/tandem-go/tandem/hostpar/hetero/trace"
)

//go:embed page.html
var pageText string

var pageTemplate = sync.OnceValues(func() (*template.Template, error) { return template.New("page").Parse(pageText) })

// A page of this width draws spans by these rules, in pixels: lanes below each other, and spans that no eye could tell
// apart as one.
const (
	pageWidth  = 1100
	pageLeft   = 190
	pageRight  = 20
	laneHeight = 18
	laneGap    = 4
	deviceGap  = 26
	pageTop    = 8
	pageBottom = 30
)

// drawn is a rectangle of the picture, with what it stands for.
type drawn struct {
	X, Y, W, H float64
	Kind       trace.Kind
	Title      string
}

// label is text of the picture.
type label struct {
	X, Y float64
	Text string
	Head bool
	Mid  bool // the text's middle is at X
}

// sheet is a timeline laid out, the same for page and picture.
type sheet struct {
	Width, Height float64
	Rects         []drawn
	Labels        []label
	Marks         []drawn // thin lines: what happened to devices
	Ticks         []float64
	Bottom        float64
}

// draw lays the timeline out.
func (t *Timeline) draw() *sheet {
	s := &sheet{Width: pageWidth}
	scale := float64(pageWidth-pageLeft-pageRight) / max(t.End.Seconds(), 1e-9)
	at := func(d time.Duration) float64 { return pageLeft + d.Seconds()*scale }
	y := float64(pageTop)
	for _, d := range t.Devices {
		s.Labels = append(s.Labels, label{X: 8, Y: y + 13, Text: fmt.Sprintf("%s: %d items, busy %v", d.Name, d.Items, d.Busy.Round(time.Microsecond)), Head: true})
		y += deviceGap - 4
		top := y
		for _, l := range d.Lanes {
			s.Labels = append(s.Labels, label{X: 24, Y: y + 13, Text: l.Name})
			s.lane(l, y, at)
			y += laneHeight + laneGap
		}
		for _, m := range d.Marks {
			s.Marks = append(s.Marks, drawn{X: at(m.At), Y: top - 2, W: 1.5, H: y - top, Title: fmt.Sprintf("%v: %s", m.At, m.What)})
		}
		y += deviceGap - laneHeight
	}
	s.Bottom, s.Height = y, y+pageBottom
	s.ticks(t.End, at)
	return s
}

// lane draws the spans of a lane. Spans of one kind in the same pixel become one rectangle.
func (s *sheet) lane(l Lane, y float64, at func(time.Duration) float64) {
	joined := 0
	for i, p := range l.Spans {
		x := at(p.Start)
		w := max(at(p.End)-x, 0.6)
		if n := len(s.Rects); i > 0 && n > 0 {
			if last := &s.Rects[n-1]; last.Y == y && last.Kind == p.Kind && x+w-last.X < 1 {
				joined++
				last.W = max(last.W, x+w-last.X)
				last.Title = fmt.Sprintf("%d spans of %v, the last [%d,%d)", joined+1, p.Kind, p.Lo, p.Hi)
				continue
			}
		}
		joined = 0
		title := fmt.Sprintf("%v: items [%d,%d), %d of them, %v from %v", p.Kind, p.Lo, p.Hi, p.Hi-p.Lo, p.End-p.Start, p.Start)
		if p.Why != "" {
			title += ", " + p.Why
		}
		s.Rects = append(s.Rects, drawn{X: x, Y: y, W: w, H: laneHeight, Kind: p.Kind, Title: title})
	}
}

// ticks puts five to ten round times below.
func (s *sheet) ticks(end time.Duration, at func(time.Duration) float64) {
	if end <= 0 {
		return
	}
	step := time.Duration(1)
	for i := 0; end/step > 10; i++ {
		step = step * []time.Duration{2, 5, 2}[i%3] / []time.Duration{1, 2, 1}[i%3]
	}
	for x := time.Duration(0); x <= end; x += step {
		s.Ticks = append(s.Ticks, at(x))
		s.Labels = append(s.Labels, label{X: at(x), Y: s.Bottom + 18, Text: x.String(), Mid: true})
	}
}

// WriteHTML writes the timeline as one page that needs nothing else: rectangles with titles, a wheel to zoom, a table of
// devices.
func (t *Timeline) WriteHTML(w io.Writer, title string) error {
	type row struct {
		Name, Share, Busy string
		Items             int
		Marks             []string
	}
	items := 0
	for _, d := range t.Devices {
		items += d.Items
	}
	var rows []row
	for _, d := range t.Devices {
		r := row{Name: d.Name, Items: d.Items, Busy: "0 %", Share: "0 %"}
		if t.End > 0 {
			r.Busy = fmt.Sprintf("%v (%.1f %%)", d.Busy.Round(time.Microsecond), 100*d.Busy.Seconds()/t.End.Seconds())
		}
		if items > 0 {
			r.Share = fmt.Sprintf("%.1f %%", 100*float64(d.Items)/float64(items))
		}
		for _, m := range d.Marks {
			r.Marks = append(r.Marks, fmt.Sprintf("%v: %s", m.At.Round(time.Microsecond), m.What))
		}
		rows = append(rows, r)
	}
	bw := bufio.NewWriter(w)
	page, err := pageTemplate()
	if err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	err = page.Execute(bw, map[string]any{
		"Title": title, "End": t.End.String(), "Sheet": t.draw(), "Rows": rows, "Kinds": kinds(), "Colors": colorNames(),
		"Left": pageLeft, "Plot": pageWidth - pageLeft - pageRight,
	})
	if err == nil {
		err = bw.Flush()
	}
	if err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}
