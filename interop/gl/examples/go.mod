module github.com/tandem-go/tandem/interop/gl/examples

go 1.25.0

require (
	github.com/go-gl/gl v0.0.0-20231021071112-07e5d0ea2e71
	github.com/go-gl/glfw/v3.3/glfw v0.0.0-20260823155953-d41da22a9587
	github.com/stretchr/testify v1.12.1
	github.com/tandem-go/tandem v0.0.0
	github.com/tandem-go/tandem/interop/gl v0.0.0
)

require (
	github.com/ebitengine/purego v0.11.3 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sys v0.45.0 // indirect
)

replace github.com/tandem-go/tandem => ../../..

replace github.com/tandem-go/tandem/interop/gl => ..
