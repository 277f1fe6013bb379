package cuda_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/cuda/cudatest"
)

// badInputs are mistakes of callers, and the errors that they get on every device. open opens a device of the kind; after its
// mistake a device still works.
func badInputs(t *testing.T, open func(t *testing.T) *cuda.Device) {
	const code = ".version 6.4\n.target sm_50\n.address_size 64\n.visible .entry take(.param .u64 p, .param .u32 n) { ret; }\n"
	take := func(t *testing.T, d *cuda.Device) *cuda.Function {
		m, err := d.Load(t.Context(), []byte(code), cuda.LoadConfig{})
		require.NoError(t, err)
		f, err := m.Function("take")
		require.NoError(t, err)
		return f
	}
	one := cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(1)}
	for name, c := range map[string]struct {
		want error
		do   func(t *testing.T, d *cuda.Device) error
	}{
		"use after Close": {cuda.ErrClosed, func(t *testing.T, d *cuda.Device) error {
			b := uploaded(t, d, uint32(1))
			require.NoError(t, b.Close())
			return take(t, d).Run(t.Context(), one, b, uint32(1))
		}},
		"copy of a closed buffer": {cuda.ErrClosed, func(t *testing.T, d *cuda.Device) error {
			b := uploaded(t, d, uint32(1))
			require.NoError(t, b.Close())
			_, err := b.Download(t.Context())
			return err
		}},
		"closed device with live buffers": {cuda.ErrClosed, func(t *testing.T, _ *cuda.Device) error {
			d := open(t)
			f, b := take(t, d), uploaded(t, d, uint32(1))
			require.NoError(t, d.Close())
			require.ErrorIs(t, b.Fill(0, nil), cuda.ErrClosed)
			require.NoError(t, b.Close())
			return f.Run(t.Context(), one, nil, uint32(1))
		}},
		"two devices in one launch": {cuda.ErrWrongDevice, func(t *testing.T, d *cuda.Device) error {
			return take(t, d).Run(t.Context(), one, uploaded(t, open(t), uint32(1)), uint32(1))
		}},
		"a stream of another device": {cuda.ErrWrongDevice, func(t *testing.T, d *cuda.Device) error {
			s, err := open(t).NewStream(cuda.StreamConfig{})
			require.NoError(t, err)
			cfg := one
			cfg.Stream = s
			return take(t, d).Run(t.Context(), cfg, nil, uint32(1))
		}},
		"negative length": {cuda.ErrInvalidValue, func(_ *testing.T, d *cuda.Device) error {
			_, err := cuda.Alloc[float32](d, -1)
			return err
		}},
		"negative page-locked length": {cuda.ErrInvalidValue, func(_ *testing.T, d *cuda.Device) error {
			_, err := cuda.AllocHost[float32](d, -1)
			return err
		}},
		"negative extent": {cuda.ErrInvalidValue, func(t *testing.T, d *cuda.Device) error {
			return take(t, d).Run(t.Context(), cuda.LaunchConfig{Grid: cuda.D1(-1), Block: cuda.D1(1)}, nil, uint32(1))
		}},
		"negative shared memory": {cuda.ErrInvalidValue, func(t *testing.T, d *cuda.Device) error {
			cfg := one
			cfg.SharedBytes = -1
			return take(t, d).Run(t.Context(), cfg, nil, uint32(1))
		}},
		"overlapping copy": {cuda.ErrInvalidValue, func(t *testing.T, d *cuda.Device) error {
			b := uploaded(t, d, uint32(1), 2, 3)
			lo, err := b.Slice(0, 2)
			require.NoError(t, err)
			hi, err := b.Slice(1, 3)
			require.NoError(t, err)
			return cuda.Copy[uint32](lo, hi, nil)
		}},
		"lengths that differ": {cuda.ErrLength, func(t *testing.T, d *cuda.Device) error {
			return uploaded(t, d, uint32(1)).CopyFrom(t.Context(), make([]uint32, 2))
		}},
		"end of a capture that was not begun": {cuda.ErrCapture, func(t *testing.T, d *cuda.Device) error {
			s, err := d.NewStream(cuda.StreamConfig{})
			require.NoError(t, err)
			_, err = s.EndCapture()
			return err
		}},
		"wait for a captured stream": {cuda.ErrCapture, func(t *testing.T, d *cuda.Device) error {
			s, err := d.NewStream(cuda.StreamConfig{})
			require.NoError(t, err)
			require.NoError(t, s.BeginCapture())
			defer func() {
				_, err := s.EndCapture()
				require.NoError(t, err)
			}()
			return s.Wait(t.Context())
		}},
		"text that is no PTX": {cuda.ErrInvalidPTX, func(t *testing.T, d *cuda.Device) error {
			_, err := d.Load(t.Context(), []byte("hello"), cuda.LoadConfig{})
			return err
		}},
		"unknown kernel": {cuda.ErrNotFound, func(t *testing.T, d *cuda.Device) error {
			_, err := take(t, d).Module().Function("give")
			return err
		}},
		"wrong argument": {cuda.ErrArgument, func(t *testing.T, d *cuda.Device) error {
			return take(t, d).Run(t.Context(), one, nil, 1.5)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			require.ErrorIs(t, c.do(t, d), c.want)
			require.NoError(t, take(t, d).Run(t.Context(), one, uploaded(t, d, uint32(1)), uint32(1)), "the device works")
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
