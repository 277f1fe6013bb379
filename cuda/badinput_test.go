package cuda_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/cuda/cudatest"
	"github.com/tandem-go/tandem/internal/dl"
)

// mishap is a device on which a mistake is made.
type mishap struct {
	*testing.T
	d    *cuda.Device
	open func(t *testing.T) *cuda.Device // another device of the kind
}

const takePTX = ".version 6.4\n.target sm_50\n.address_size 64\n.visible .entry take(.param .u64 p, .param .u32 n) { ret; }\n"

func (m mishap) take(d *cuda.Device) *cuda.Function {
	mod, err := d.Load(m.Context(), []byte(takePTX), cuda.LoadConfig{})
	require.NoError(m, err)
	f, err := mod.Function("take")
	require.NoError(m, err)
	return f
}

// run launches with a configuration that change makes wrong.
func (m mishap) run(change func(cfg *cuda.LaunchConfig), args ...any) error {
	cfg := threads(1)
	if change != nil {
		change(&cfg)
	}
	return m.take(m.d).Run(m.Context(), cfg, args...)
}

// mistakes of callers, and the errors that they get on every device.
var mistakes = []struct {
	name string
	want error
	do   func(m mishap) error
}{
	{"use after Close", cuda.ErrClosed, func(m mishap) error {
		b := uploaded(m, m.d, uint32(1))
		require.NoError(m, b.Close())
		return m.run(nil, b, uint32(1))
	}},
	{"copy of a closed buffer", cuda.ErrClosed, func(m mishap) error {
		b := uploaded(m, m.d, uint32(1))
		require.NoError(m, b.Close())
		_, err := b.Download(m.Context())
		return err
	}},
	{"closed device with live buffers", cuda.ErrClosed, func(m mishap) error {
		d := m.open(m.T)
		f, b := m.take(d), uploaded(m, d, uint32(1))
		require.NoError(m, d.Close())
		require.ErrorIs(m, b.Fill(0, nil), cuda.ErrClosed)
		require.NoError(m, b.Close())
		return f.Run(m.Context(), threads(1), nil, uint32(1))
	}},
	{"two devices in one launch", cuda.ErrWrongDevice, func(m mishap) error {
		return m.run(nil, uploaded(m, m.open(m.T), uint32(1)), uint32(1))
	}},
	{"a stream of another device", cuda.ErrWrongDevice, func(m mishap) error {
		return m.run(func(cfg *cuda.LaunchConfig) { cfg.Stream = newStreamOf(m, m.open(m.T)) }, nil, uint32(1))
	}},
	{"negative length", cuda.ErrInvalidValue, func(m mishap) error {
		_, err := cuda.Alloc[float32](m.d, -1)
		return err
	}},
	{"negative page-locked length", cuda.ErrInvalidValue, func(m mishap) error {
		_, err := cuda.AllocHost[float32](m.d, -1)
		return err
	}},
	{"negative extent", cuda.ErrInvalidValue, func(m mishap) error {
		return m.run(func(cfg *cuda.LaunchConfig) { cfg.Grid.X = -1 }, nil, uint32(1))
	}},
	{"negative shared memory", cuda.ErrInvalidValue, func(m mishap) error {
		return m.run(func(cfg *cuda.LaunchConfig) { cfg.SharedBytes = -1 }, nil, uint32(1))
	}},
	{"overlapping copy", cuda.ErrInvalidValue, func(m mishap) error {
		b := uploaded(m, m.d, uint32(1), 2, 3)
		lo, err := b.Slice(0, 2)
		require.NoError(m, err)
		hi, err := b.Slice(1, 3)
		require.NoError(m, err)
		return cuda.Copy[uint32](lo, hi, nil)
	}},
	{"lengths that differ", cuda.ErrLength, func(m mishap) error {
		return uploaded(m, m.d, uint32(1)).CopyFrom(m.Context(), make([]uint32, 2))
	}},
	{"end of a capture that was not begun", cuda.ErrCapture, func(m mishap) error {
		_, err := newStreamOf(m, m.d).EndCapture()
		return err
	}},
	{"wait for a captured stream", cuda.ErrCapture, func(m mishap) error {
		s := newStreamOf(m, m.d)
		require.NoError(m, s.BeginCapture())
		defer func() {
			g, err := s.EndCapture()
			require.NoError(m, err)
			require.NoError(m, g.Close())
		}()
		return s.Wait(m.Context())
	}},
	{"text that is no PTX", cuda.ErrInvalidPTX, func(m mishap) error {
		_, err := m.d.Load(m.Context(), []byte("hello"), cuda.LoadConfig{})
		return err
	}},
	{"image for another architecture", cuda.ErrNoBinary, func(m mishap) error {
		_, err := m.d.Load(m.Context(), append([]byte("\x7fELF\x02\x01\x01\x33\x07\x00\x00\x00\x00\x00\x00\x00\x02\x00\xbe\x00\x01\x00\x00\x00"+
			strings.Repeat("\x00", 24)+"\x14\x00\x14\x00\x40\x00\x38\x00\x00\x00\x40\x00"), make([]byte, 4)...), cuda.LoadConfig{})
		return err
	}},
	{"PTX newer than the driver", cuda.ErrDriverTooOld, func(m mishap) error {
		defer cuda.WithLinker(nil, dl.ErrNotFound)()
		_, err := m.d.Load(m.Context(), []byte(strings.Replace(takePTX, "6.4", "99.9", 1)), cuda.LoadConfig{})
		if m.d.Info().Kind == cuda.Host {
			require.NoError(m, err, "the host device takes PTX of any version")
			return cuda.ErrDriverTooOld
		}
		require.ErrorContains(m, err, "99.9")
		return err
	}},
	{"a copy from memory of another device", cuda.ErrWrongDevice, func(m mishap) error {
		return cuda.Copy[uint32](uploaded(m, m.d, uint32(1)), uploaded(m, m.open(m.T), uint32(1)), nil)
	}},
	{"unknown kernel", cuda.ErrNotFound, func(m mishap) error {
		_, err := m.take(m.d).Module().Function("give")
		return err
	}},
	{"wrong argument", cuda.ErrArgument, func(m mishap) error { return m.run(nil, nil, 1.5) }},
}

// badInputs makes each mistake on a device, which still works afterwards.
func badInputs(t *testing.T, open func(t *testing.T) *cuda.Device) {
	for _, c := range mistakes {
		t.Run(c.name, func(t *testing.T) {
			m := mishap{t, open(t), open}
			require.ErrorIs(t, c.do(m), c.want)
			require.NoError(t, m.run(nil, uploaded(t, m.d, uint32(1)), uint32(1)), "the device works")
		})
	}
}

// TestBadInputs: mistakes get the same errors on each device that there is.
func TestBadInputs(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, d *cuda.Device) {
		badInputs(t, func(t *testing.T) *cuda.Device {
			d, err := cuda.Open(d.Info().ID)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, d.Close()) })
			return d
		})
	})
}
