package timeline_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/color"
	"image/png"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/hetero/heterotest"
	"github.com/tandem-go/tandem/hostpar/hetero/policy"
	"github.com/tandem-go/tandem/hostpar/hetero/trace"
	"github.com/tandem-go/tandem/hostpar/hetero/trace/timeline"
)

// recorded is the trace of a simulated run on two devices, one of which fails.
func recorded(t testing.TB) (*trace.Recorder, heterotest.Result) {
	r := trace.New(0)
	r.Name(0, "CPU <&> \"quoted\"")
	r.Name(1, "GPU")
	id := uint64(0)
	res, err := heterotest.Run(heterotest.Job{Items: 1 << 20, Noise: 0.1, Seed: 5, Policy: policy.Adaptive(policy.AdaptiveConfig{}),
		Trace: func(c heterotest.Chunk) {
			id++
			if !c.OK {
				r.Mark(c.Device, "failed", c.End)
				return
			}
			s := trace.Span{Device: c.Device, Lo: c.Lo, Hi: c.Hi, Start: c.Start, End: c.End, Chunk: id, Why: c.Why.String()}
			if c.Device == 1 { // three parts, on three lanes
				third := (c.End - c.Start) / 3
				for i, k := range []trace.Kind{trace.Load, trace.Compute, trace.Commit} {
					part := s
					part.Kind, part.Lane, part.Start, part.End = k, i, s.Start+time.Duration(i)*third, s.Start+time.Duration(i+1)*third
					r.Span(part)
				}
				return
			}
			r.Span(s)
		}},
		heterotest.Device{Rate: 1e6, Overhead: 5000}, heterotest.Device{Rate: 3e6, Overhead: 40_000, FailAt: 100 * time.Millisecond})
	require.NoError(t, err)
	return r, res
}

func read(t testing.TB, r *trace.Recorder) *timeline.Timeline {
	var b bytes.Buffer
	_, err := r.WriteTo(&b)
	require.NoError(t, err)
	l, err := timeline.Read(&b)
	require.NoError(t, err)
	return l
}

// TestWhatWasWrittenIsRead holds the timeline against the simulated run.
func TestWhatWasWrittenIsRead(t *testing.T) {
	r, res := recorded(t)
	l := read(t, r)
	require.Len(t, l.Devices, 2)
	require.Equal(t, "CPU <&> \"quoted\"", l.Devices[0].Name)
	require.Equal(t, res.Items[0], l.Devices[0].Items)
	require.Equal(t, res.Items[1], l.Devices[1].Items, "the three parts of a chunk count once")
	require.Len(t, l.Devices[1].Lanes, 3)
	require.InDelta(t, res.Makespan, l.End, 1e3)
	require.Len(t, l.Devices[1].Marks, 1)
	require.Equal(t, "failed", l.Devices[1].Marks[0].What)
	require.Greater(t, l.Devices[0].Busy.Seconds(), 0.99*res.Makespan.Seconds())
	require.Less(t, l.Devices[1].Busy, 110*time.Millisecond, "parts of a chunk follow each other and are not added up twice")
	want := 0
	for _, s := range r.Spans() {
		if s.Device == 0 {
			require.Equal(t, s.Why, l.Devices[0].Lanes[0].Spans[want].Why)
			require.InDelta(t, s.Start, l.Devices[0].Lanes[0].Spans[want].Start, 1)
			want++
		}
	}
	require.Contains(t, l.Summary(), "GPU")
	require.Contains(t, l.Summary(), "failed")
}

// TestPage: the page needs nothing from elsewhere, escapes names, and has a rectangle for what was done.
func TestPage(t *testing.T) {
	r, _ := recorded(t)
	var b bytes.Buffer
	require.NoError(t, read(t, r).WriteHTML(&b, "a <run>"))
	text := b.String()
	for _, out := range []string{"http:", "https:", "src=", "@import", "<run>", "CPU <&>"} {
		require.NotContains(t, text, out)
	}
	require.Contains(t, text, "a &lt;run&gt;")
	svg := text[strings.Index(text, "<svg"):strings.Index(text, "</svg>")]
	d := xml.NewDecoder(strings.NewReader(svg + "</svg>"))
	rects := 0
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err, "the drawing is well formed")
		if e, ok := tok.(xml.StartElement); ok && e.Name.Local == "rect" {
			rects++
		}
	}
	require.Greater(t, rects, 100)
}

// TestPicture looks at pixels: the CPU's lane is full of chunks, the failed device has a mark and nothing behind it.
func TestPicture(t *testing.T) {
	r, _ := recorded(t)
	var b bytes.Buffer
	require.NoError(t, read(t, r).WritePNG(&b))
	img, err := png.Decode(&b)
	require.NoError(t, err)
	count := func(x0, x1 int, want color.RGBA) (n int) {
		for x := x0; x < x1; x++ {
			for y := range img.Bounds().Dy() {
				if color.RGBAModel.Convert(img.At(x, y)) == color.Color(want) {
					n++
				}
			}
		}
		return n
	}
	w := img.Bounds().Dx()
	blue, orange, red := color.RGBA{0, 0x72, 0xb2, 0xff}, color.RGBA{0xe6, 0x9f, 0, 0xff}, color.RGBA{0xcc, 0, 0, 0xff}
	require.Greater(t, count(400, w-60, blue), (w-460)*20, "chunks of the CPU all the time")
	require.Positive(t, count(400, w/2, orange), "copies of the GPU")
	require.Zero(t, count(w/2, w, orange), "none after it failed")
	require.Positive(t, count(400, w/2, red), "a mark where it failed")
}

// TestReadAnything cuts and changes a trace at each byte: an error that says so, or a timeline; never a panic.
func TestReadAnything(t *testing.T) {
	r := trace.New(8)
	r.Name(0, "one")
	r.Span(trace.Span{Lo: 3, Hi: 9, Start: 5, End: 800, Why: "share"})
	r.Mark(0, "failed", 700)
	var b bytes.Buffer
	_, err := r.WriteTo(&b)
	require.NoError(t, err)
	whole := bytes.TrimSpace(b.Bytes())
	for n := range whole {
		_, err := timeline.Read(bytes.NewReader(whole[:n]))
		require.ErrorIs(t, err, timeline.ErrFormat, "cut at byte %d", n)
		for _, c := range []byte{'-', '9', '"', 0, '{', 'e'} {
			changed := bytes.Clone(whole)
			changed[n] = c
			l, err := timeline.Read(bytes.NewReader(changed))
			if err != nil {
				require.ErrorIs(t, err, timeline.ErrFormat)
				continue
			}
			require.NoError(t, l.WriteHTML(io.Discard, "x"))
			if n%16 == 0 { // a picture takes its time
				require.NoError(t, l.WritePNG(io.Discard))
			}
		}
	}
	for name, text := range map[string]string{
		"empty": "", "a number": "3", "no events": "{}", "not a list": `{"traceEvents":{}}`, "negative": `[{"ph":"X","ts":1,"dur":-1}]`,
		"upside down": `[{"ph":"X","args":{"lo":5,"hi":1}}]`, "huge": `[{"ph":"X","ts":1e300}]`, "fraction": `[{"ph":"X","pid":0.5}]`,
	} {
		_, err := timeline.Read(strings.NewReader(text))
		require.ErrorIs(t, err, timeline.ErrFormat, name)
	}
	l, err := timeline.Read(strings.NewReader(`[]`))
	require.NoError(t, err)
	require.Empty(t, l.Devices)
	require.NoError(t, l.WritePNG(io.Discard))
}
