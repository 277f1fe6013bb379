package main

import (
	"image/png"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/hetero/trace"
)

func TestTraceIsDrawn(t *testing.T) {
	t.Chdir(t.TempDir())
	r := trace.New(16)
	r.Name(0, "one device")
	r.Span(trace.Span{Hi: 100, End: 5000, Why: "share"})
	f, err := os.Create("run.json")
	require.NoError(t, err)
	_, err = r.WriteTo(f)
	require.NoError(t, err)
	require.NoError(t, f.Close())

	status, out, errs := tandem(t, "trace", "run.json")
	require.Zero(t, status, errs)
	require.Contains(t, out, "one device")
	require.Contains(t, out, "run.html\nrun.png\n")
	page, err := os.ReadFile("run.html")
	require.NoError(t, err)
	require.Contains(t, string(page), "<title>run.json</title>")
	img, err := os.Open("run.png")
	require.NoError(t, err)
	defer img.Close()
	_, err = png.Decode(img)
	require.NoError(t, err)

	require.NoError(t, os.Remove("run.html"))
	status, out, errs = tandem(t, "trace", "--html", "-", "--png", "other.png", "run.json")
	require.Zero(t, status, errs)
	require.FileExists(t, "other.png")
	require.NoFileExists(t, "run.html")
	require.NotContains(t, out, "html")

	write(t, "bad.json", `{"traceEvents":[{"ph":`)
	status, _, errs = tandem(t, "trace", "bad.json")
	require.Equal(t, exitFailed, status)
	require.Contains(t, errs, "bad.json: read trace: ")
	require.Contains(t, errs, "not a trace")
	require.NoFileExists(t, "bad.html")
	status, _, _ = tandem(t, "trace")
	require.Equal(t, exitUsage, status)
	status, _, _ = tandem(t, "trace", "absent.json")
	require.Equal(t, exitFailed, status)
}
