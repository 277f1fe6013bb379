//go:build linux && fakecuda && !tandem_nodl

package nvidia_test

import "github.com/tandem-go/tandem/internal/driver"

const referencesPTX = `.version 7.0
.target sm_75
.address_size 64
.global .texref picture;
.global .surfref marks;
.visible .entry nothing() { ret; }
`

// mipmaps makes one of three levels and copies through its second, of 2 x 1 texels.
func (s *scene) mipmaps() error {
	d := s.d
	m, err := d.NewMipmap(driver.ArrayDesc{Width: 4, Height: 2, Format: driver.Float, Channels: 1}, 3)
	if err != nil {
		return err
	}
	level, err := d.MipmapLevel(m, 1)
	if err != nil {
		return err
	}
	t, err := d.NewTexture(&driver.TextureDesc{Mipmap: m, Normalized: true, LinearLevels: true, LevelBias: 0.5, MaxLevel: 2})
	if err != nil {
		return err
	}
	to := &driver.Region{Dst: driver.Place{Array: level}, Src: driver.Place{Ptr: s.x}, Width: 8, Height: 1, Depth: 1}
	from := &driver.Region{Src: driver.Place{Array: level}, Dst: driver.Place{Ptr: s.y}, Width: 8, Height: 1, Depth: 1}
	return first(d.CopyRegion(to, 0), d.Fill(s.y, 0, 1, 8, 0), d.CopyRegion(from, 0), s.expect(s.y, floats(1, 2)),
		d.DestroyTexture(t), d.DestroyMipmap(m))
}

// references sets a texture reference to an array, a row and rows, and a surface reference.
func (s *scene) references() error {
	d := s.d
	m, _, err := d.LoadModule([]byte(referencesPTX), driver.ModuleOptions{})
	if err != nil {
		return err
	}
	a, err := d.NewArray(driver.ArrayDesc{Width: 4, Height: 2, Format: driver.Unsigned8, Channels: 4, Surface: true})
	if err != nil {
		return err
	}
	for _, t := range []*driver.TextureDesc{
		{Array: a, Linear: true, Normalized: true},
		{Ptr: s.x, Width: 8, Format: driver.Float, Channels: 1},
		{Ptr: s.x, Width: 4, Height: 2, Pitch: 512, Format: driver.Float, Channels: 1},
	} {
		h, err := d.NewTexture(t)
		if err != nil {
			return err
		}
		if err := first(d.BindTexture(m, "picture", h), d.DestroyTexture(h)); err != nil {
			return err
		}
	}
	u, err := d.NewSurface(a)
	if err != nil {
		return err
	}
	return first(d.BindSurface(m, "marks", u), d.DestroySurface(u), d.DestroyArray(a), d.UnloadModule(m))
}
