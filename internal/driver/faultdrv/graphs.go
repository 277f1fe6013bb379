package faultdrv

import (
	"github.com/tandem-go/tandem/internal/driver"
)

func (d *device) BeginCapture(s driver.Stream) error {
	if err := d.b.step("BeginCapture"); err != nil {
		return err
	}
	return d.inner.BeginCapture(s)
}

func (d *device) Capturing(s driver.Stream) (bool, error) {
	if err := d.b.step("Capturing"); err != nil {
		return false, err
	}
	return d.inner.Capturing(s)
}

func (d *device) EndCapture(s driver.Stream) (driver.Graph, error) {
	if err := d.b.step("EndCapture"); err != nil {
		return 0, err
	}
	r0, err := d.inner.EndCapture(s)
	d.made("NewGraph", uint64(r0), err)
	return r0, err
}

func (d *device) NewGraph() (driver.Graph, error) {
	if err := d.b.step("NewGraph"); err != nil {
		return 0, err
	}
	r0, err := d.inner.NewGraph()
	d.made("NewGraph", uint64(r0), err)
	return r0, err
}

func (d *device) AddKernel(g driver.Graph, before []driver.Node, l *driver.Launch) (driver.Node, error) {
	if err := d.b.step("AddKernel"); err != nil {
		return 0, err
	}
	return d.inner.AddKernel(g, before, l)
}

func (d *device) AddCopy(g driver.Graph, before []driver.Node, dst driver.Ptr, src driver.Ptr, n uint64) (driver.Node, error) {
	if err := d.b.step("AddCopy"); err != nil {
		return 0, err
	}
	return d.inner.AddCopy(g, before, dst, src, n)
}

func (d *device) AddFill(g driver.Graph, before []driver.Node, dst driver.Ptr, value uint32, width int, count uint64) (driver.Node, error) {
	if err := d.b.step("AddFill"); err != nil {
		return 0, err
	}
	return d.inner.AddFill(g, before, dst, value, width, count)
}

func (d *device) AddHostFunc(g driver.Graph, before []driver.Node, f func()) (driver.Node, error) {
	if err := d.b.step("AddHostFunc"); err != nil {
		return 0, err
	}
	return d.inner.AddHostFunc(g, before, f)
}

func (d *device) AddEmpty(g driver.Graph, before []driver.Node) (driver.Node, error) {
	if err := d.b.step("AddEmpty"); err != nil {
		return 0, err
	}
	return d.inner.AddEmpty(g, before)
}

func (d *device) AddGraph(g driver.Graph, before []driver.Node, child driver.Graph) (driver.Node, error) {
	if err := d.b.step("AddGraph"); err != nil {
		return 0, err
	}
	return d.inner.AddGraph(g, before, child)
}

func (d *device) GraphNodes(g driver.Graph) (int, error) {
	if err := d.b.step("GraphNodes"); err != nil {
		return 0, err
	}
	return d.inner.GraphNodes(g)
}

func (d *device) DestroyGraph(g driver.Graph) error {
	return d.finish("DestroyGraph", "NewGraph", uint64(g), func() error { return d.inner.DestroyGraph(g) })
}

func (d *device) Instantiate(g driver.Graph) (driver.GraphExec, error) {
	if err := d.b.step("Instantiate"); err != nil {
		return 0, err
	}
	r0, err := d.inner.Instantiate(g)
	d.made("Instantiate", uint64(r0), err)
	return r0, err
}

func (d *device) LaunchGraph(x driver.GraphExec, s driver.Stream) error {
	if err := d.b.step("LaunchGraph"); err != nil {
		return err
	}
	return d.inner.LaunchGraph(x, s)
}

func (d *device) DestroyGraphExec(x driver.GraphExec) error {
	return d.finish("DestroyGraphExec", "Instantiate", uint64(x), func() error { return d.inner.DestroyGraphExec(x) })
}
