# `make` alone prints the targets. Every target that runs Go checks Go's version first, through tools/setup.sh.
SHELL := /bin/sh
GO ?= go
export GOWORK := off
GOFLAGS += -buildvcs=false
export GOFLAGS
TIMEOUT ?= 20m
FUZZTIME ?= 5m
RACE := ./cuda/... ./internal/hostdev/... ./internal/nvidia/... ./internal/workers/... ./hostpar/par/... ./hostpar/task/... ./hostpar/csp/... ./hostpar/proc/... ./hostpar/shm/...
MODULES := $(patsubst %/go.mod,%,$(filter-out ./go.mod,$(shell find . -mindepth 2 -name go.mod -not -path './.*')))

.PHONY: help setup run check test race test-modules test-gorgonia mpi-test hostpar-soak test-arm64 test-all bench-host bench-hetero hetero-full bench-hostpar bench-kernels bench gpu gen math golden fuzz corpus corpus-check lint abi chroot cross image module-path

help: ## print the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## find or install the CUDA compiler library (NVRTC); never asks
	@sh tools/setup.sh

run: ## compile multiply_them from source and run it on what this machine has; without network, from embedded PTX
	@sh tools/setup.sh || echo 'going on without the compiler, from embedded PTX'
	@$(GO) run ./examples/multiply_them

check: ## format, vet, rules of the repository, short tests: about a minute
	@test -z "$$(gofmt -l $$(find . -name '*.go' -not -path './.*'))" || { gofmt -l .; exit 1; }
	$(GO) vet ./...
	CGO_ENABLED=0 $(GO) test -short -shuffle=on ./internal/lint ./internal/ptx/... ./internal/ir ./internal/lower ./internal/engine/... ./cuda

test: setup ## the root module, and a short race run of the concurrent packages
	$(GO) vet ./...
	CGO_ENABLED=0 GOOS=linux GOARCH=arm64 $(GO) vet ./internal/engine/...
	TANDEM_REQUIRE=nvrtc CGO_ENABLED=0 $(GO) test -shuffle=on -timeout $(TIMEOUT) ./...
	CGO_ENABLED=0 $(GO) test -shuffle=on -tags tandem_portable ./hostpar/internal/futex ./hostpar/shm ./hostpar/proc ./hostpar/csp/cspproc
	@sh tools/race.sh -short $(RACE)

race: setup ## the whole root module under the race detector (needs gcc)
	@sh tools/race.sh ./...

test-modules: ## the nested modules, which need C compilers and headers; test-gorgonia with them where PyPI can be reached
	@sh tools/setup.sh --test
	@set -e; for m in $(MODULES); do echo "module $$m"; (cd $$m && $(GO) vet ./... && $(GO) test -shuffle=on -timeout $(TIMEOUT) ./...); done
	@sh tools/gorgonia.sh || [ $$? = 77 ]

test-fakecuda: ## the NVIDIA back end against a driver library in C that needs no GPU (needs gcc)
	@sh tools/fakecuda.sh test

test-gorgonia: ## interop/gorgonia with gorgonia.org/cu, NVIDIA's headers fetched from PyPI, and the driver library in C (needs gcc)
	@sh tools/gorgonia.sh

test-libcuda: ## NVIDIA's own driver library must say "no device" (fetched from the distribution, not installed)
	@sh tools/libcuda.sh test

bench-driver: ## launches beside the bare driver call, on the driver library in C (needs gcc); see docs/results/driver.md
	@sh tools/fakecuda.sh bench

mpi-test: ## hostpar/mpi under Open MPI and MPICH, which it installs (apt-get, as root)
	@sh tools/mpi-test.sh

hostpar-soak: ## hostpar's hazards 500 times and its packages 20 times under the race detector; hours (needs gcc)
	@sh tools/hostpar-soak.sh $(TESTS)

test-arm64: ## the engines and the host device for arm64, under qemu, which it installs (apt-get, as root)
	@sh tools/test-arm64.sh

test-all: test race test-modules test-fakecuda abi chroot cross ## everything that needs no GPU

bench-host: setup ## the host device beside PoCL, C and plain Go on 18 kernels; installs PoCL where it may (apt-get, as root)
	@sh tools/setup.sh --bench || echo 'going on with the peers that are there'
	@mkdir -p build
	cd bench && $(GO) build -o ../build/bench-host ./host
	build/bench-host -json build/bench-host.json $(BENCHFLAGS)

bench-hetero: setup ## one launch over two devices beside each alone, on a machine that does nothing else; writes docs/results/hetero.md
	cd bench && $(GO) run ./hetero -part all -write ../docs/results/hetero.md $(BENCHFLAGS)

hetero-full: setup ## the checks of hostpar/hetero with their full counts, in real time where they have a clock
	$(GO) test -count 1 -shuffle=on -timeout 3h ./hostpar/hetero -args -full

bench-hostpar: ## hostpar beside CPython and pools of goroutines; writes docs/results/hostpar.md
	cd bench && $(GO) run ./processes -write ../docs/results

bench-kernels: setup ## arrays, scans, sorts, random numbers, matrix products beside NumPy; writes docs/results/kernels.md
	cd bench && $(GO) run ./kernels -write ../docs/results/kernels.md

bench: bench-hostpar ## the benchmarks of the packages, and hostpar's table
	$(GO) test -run '^$$' -bench . -benchtime 200ms -count 3 ./internal/engine/... ./internal/hostdev ./internal/nvrtc/... ./internal/fpmath ./cuda ./hostpar/...

gpu: ## test binaries and benchmarks in build/gpu, for any machine with an NVIDIA driver and no Go
	@sh tools/gpu.sh build/gpu

math: setup ## measure the accuracy of CUDA's math functions: docs/results/math.md, and half.md with INCLUDE=folder of CUDA's headers
	$(GO) test -count 1 -timeout $(TIMEOUT) ./internal/mathtable -args -rewrite -samples 2000 -include "$(INCLUDE)"

gen: ## generated files: embedded PTX, tables
	$(GO) generate ./...

golden: ## rewrite the expected files of golden tests
	$(GO) test ./internal/ir ./internal/lower ./internal/passes ./internal/listing ./internal/parity -args -rewrite
	$(GO) test ./internal/engine/enginetest -run TestSupport -args -rewrite
	$(GO) test ./internal/engine/enginetest -run TestSupport -args -rewrite # the page is made of the table that the first wrote

fuzz: ## fuzz the parsers and the engines, and torture these under the race detector (needs gcc), FUZZTIME each
	$(GO) test -run '^$$' -fuzz FuzzParse -fuzztime $(FUZZTIME) ./internal/ptx
	$(GO) test -run '^$$' -fuzz FuzzLower -fuzztime $(FUZZTIME) ./internal/lower
	$(GO) test -run TestDifferential -timeout 0 ./internal/engine/jit -differential $(FUZZTIME)
	@sh tools/race.sh -run TestTorture -timeout 0 ./internal/engine/jit -torture $(FUZZTIME)

corpus: setup ## the test kernels through every NVRTC that is found; with DIR=folder, the kernels of its .cu files
	@if [ -n "$(DIR)" ]; then $(GO) run ./internal/corpus/survey -include "$(INCLUDE)" "$(DIR)"; else sh tools/corpus.sh; fi

corpus-check: setup ## kernels of cuda-samples, Rodinia and PolyBench-GPU in DIR=folder, on each engine, against answers computed in Go
	@$(GO) run ./internal/corpus/oracles -include "$(INCLUDE)" "$(DIR)"

lint: ## the rules of the repository
	$(GO) vet ./...
	$(GO) test -count 1 ./internal/lint

abi: ## our table of driver signatures against NVIDIA's header and library (needs gcc; downloads, commits nothing)
	@sh tools/abi.sh

chroot: ## the static binary in an empty root, and the container's steps in a fresh Debian root (needs root and debootstrap)
	@sh tools/chroot.sh

cross: ## builds for every platform of the README
	@set -e; for p in linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64; do \
		echo $$p; CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build ./...; \
		CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build -tags tandem_nodl ./...; done

image: ## the container image
	docker build -t tandem .

module-path: ## rename the module: make module-path NEW=example.org/name
	@test -n "$(NEW)" || { echo 'usage: make module-path NEW=example.org/name' >&2; exit 2; }
	@sh tools/module-path.sh "$(NEW)"
