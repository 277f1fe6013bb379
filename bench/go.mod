module github.com/tandem-go/tandem/bench

go 1.25.0

require (
	github.com/alitto/pond/v2 v2.7.1
	github.com/panjf2000/ants/v2 v2.12.1
	github.com/sourcegraph/conc v0.3.0
	github.com/stretchr/testify v1.12.1
	github.com/tandem-go/tandem v0.0.0
	golang.org/x/image v0.38.0
	golang.org/x/sync v0.21.0
)

require (
	github.com/ebitengine/purego v0.11.3 // indirect
	go.uber.org/atomic v1.7.0 // indirect
	go.uber.org/multierr v1.9.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sys v0.45.0 // indirect
)

replace github.com/tandem-go/tandem => ..
