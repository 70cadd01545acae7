# Targets for people; `make` lists them. Each does the set-up it needs on a machine
# that has only Go.
.DEFAULT_GOAL := help
BIN := bin/deeplimit
# Tests and experiments: later levels fuse multiplications and additions, which changes the last bits of results.
export GOAMD64 := v1
# Programs: the same bits on every processor. For this machine also where GOOS and GOARCH name another.
PORTABLE := flags=$$(env -u GOOS -u GOARCH go run ./internal/machine/overlay bin/portable) && go build -buildvcs=auto $$flags
SOURCES := $(shell find . ! -path './bin/*' \( -name '*.go' -o -name '*.s' -o -name 'template.yaml' -o -name 'page.*' -o -path './internal/show/serve/web/*' -type f -o -path './dataset/data/*.gz' \)) go.mod go.sum

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(BIN): $(SOURCES)
	@mkdir -p bin
	$(PORTABLE) -o $(BIN) ./cmd/deeplimit

.PHONY: build
build: $(BIN) ## build bin/deeplimit

.PHONY: run
run: $(BIN) ## the main job: a depth study on digits and separated inputs, with its report
	$(BIN) run examples/quickstart.yaml

.PHONY: papers papers-page papers-small
# Built rather than run, so that the page can name the commit.
bin/reproduce: $(SOURCES)
	@mkdir -p bin
	$(PORTABLE) -o $@ ./experiments/papers/reproduce

papers: bin/reproduce ## the papers' experiments and claims: writes docs/papers.md (STUDY=limit for one, KEEP=1 to go on with its runs, ACCEPT=1 to record a lost claim)
	bin/reproduce $(if $(ACCEPT),-accept) $(if $(KEEP),-keep) $(STUDY)

papers-page: bin/reproduce ## docs/papers.md anew from experiments/record.json
	bin/reproduce -page

papers-small: bin/reproduce ## the same code at small sizes, seconds each, held to experiments/small.json
	bin/reproduce -small $(if $(ACCEPT),-accept) $(if $(KEEP),-keep) $(STUDY)

.PHONY: questions
questions: $(BIN) ## questions of the literature by commands alone, in minutes (docs/compare.md)
	experiments/questions/run.sh $(BIN)

.PHONY: calibrate
calibrate: ## how often intervals and verdicts on planted paths are right: writes docs/calibration.md (DRAWS=20 for a look; 200 take hours)
	go run ./experiments/calibrate -draws $(or $(DRAWS),200) -out docs/calibration.md

.PHONY: planted-layers
planted-layers: ## how often verdicts about the layers of one network are right, on planted networks, and on matched units (DRAWS=200, an hour; DRAWS=20 for a look)
	go test ./layerorder -run TestPlanted -count=1 -timeout 60m -v -draws $(or $(DRAWS),200)
	go test ./internal/read/network -run TestPlantedUnits -count=1 -timeout 120m -v -draws $(or $(DRAWS),200)

.PHONY: test
test: ## all tests, offline
	go test ./...

.PHONY: steps
steps: ## the laws of the step size over depth, measured by the best step of each depth (a minute)
	go test ./internal/train -run TestBestStep -count=1 -v -args -long

bin/kernelcerts: $(SOURCES)
	@mkdir -p bin
	$(PORTABLE) -o $@ ./experiments/kernelcerts

.PHONY: kernel-certificates
kernel-certificates: bin/kernelcerts ## kernel certificates on digits and diabetes: writes docs/kernel-certificates.md (COST=20000 for a quarter of an hour; 600000 for all cells, KEEP=1 to go on with the record)
	bin/kernelcerts -cost $(or $(COST),20000) $(if $(KEEP),-keep)

.flint/installed:
	python3 -m venv .flint || { apt-get update && apt-get install -y --no-install-recommends python3-venv && python3 -m venv .flint; }
	.flint/bin/pip install --quiet python-flint
	touch $@

.PHONY: verify-certificates
verify-certificates: $(BIN) .flint/installed ## small kernel certificates proved in ball arithmetic by another program, and a hundred changed ones rejected
	.flint/bin/python python/test_verify_certificate.py $(BIN)

.PHONY: adversary
adversary: ## kernel certificates against an adversary: bounds and descents of a thousand random networks (a quarter of an hour)
	go test ./internal/tangent -run 'Adversary|KeepsPromises|Derivative' -count=1 -v -timeout 60m -args -nets $(or $(NETS),1000)

.PHONY: tune
tune: $(BIN) ## the best step over depth by `deeplimit tune`, its exponents, and its iterations against those of a grid as fine (a minute or two)
	for study in adam-half adam-one gd-separated; do $(BIN) tune experiments/tune/$$study.yaml --out runs/tune/$$study || exit 1; done
	go test ./scaling -run 'TestBowlCoverage|TestCollapseCoverage' -count=1 -v -args -curves 30 | grep %

.PHONY: cascade
cascade: ## a cascade over depth beside training at the last depth: layer-iterations, seconds, distances (docs/cascade.md; minutes; DIRECT=false for the cascades alone)
	go run ./experiments/cascade -direct=$(or $(DIRECT),true) $(or $(STUDY),experiments/cascade/rotation-gelu.yaml experiments/cascade/rotation-tanh.yaml experiments/cascade/digits.yaml)

.PHONY: slurm
slurm:
	@PATH=$$PATH:/usr/sbin:/sbin; for program in sbatch slurmctld slurmd munged ip; do command -v $$program > /dev/null || missing=yes; done; \
	[ -z "$$missing" ] || { \
		sudo=; [ $$(id -u) = 0 ] || sudo=sudo; install="$$sudo env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -qy --no-install-recommends slurmctld slurmd slurm-client munge iproute2"; \
		$$install || { $$sudo apt-get update && $$install; }; }

.PHONY: test-slurm
test-slurm: slurm ## failures on a private Slurm cluster of two nodes: installs Debian's Slurm, minutes
	go vet -tags slurm ./internal/execute/slurm
	PATH=$$PATH:/usr/sbin:/sbin go test -tags slurm -count=1 -timeout 30m -parallel 4 ./internal/execute/slurm

.PHONY: test-kubernetes
test-kubernetes: ## examples/kubernetes against the types of the Kubernetes API (a module of its own)
	cd test/kubernetes && go vet ./... && go test -count=1 ./... # the cache does not see the manifest change

BROWSER := .browser
$(BROWSER)/node_modules/axe-core/axe.min.js:
	command -v npm > /dev/null || { apt-get update && apt-get install -y --no-install-recommends npm; }
	npm install --prefix $(BROWSER) --no-save --no-audit --no-fund axe-core@4.14.1

# The sets of fonts that reports are printed with.
FONTS := $(addprefix /usr/share/fonts/truetype/,dejavu/DejaVuSerif.ttf dejavu/DejaVuSansMono.ttf liberation noto/NotoSerif-Regular.ttf)

.PHONY: test-browser screens
test-browser: $(BROWSER)/node_modules/axe-core/axe.min.js ## the page of `deeplimit serve` in Chromium: live, by keyboard, with axe-core; a list of 10,000 runs
	command -v chromium > /dev/null && ls $(FONTS) > /dev/null 2>&1 || { apt-get update && apt-get install -y --no-install-recommends chromium fonts-dejavu-core fonts-liberation fonts-noto-core; }
	go test -tags browser -count=1 -timeout 20m ./test/browser
	go test -count=1 ./internal/show/serve -run TestManyRuns -v -args -runs 10000

screens: $(BROWSER)/node_modules/axe-core/axe.min.js ## the pictures of docs/serve.md anew
	go test -tags browser -count=1 -timeout 20m ./test/browser -args -screens $(CURDIR)/docs/screens
.PHONY: faults
faults: $(BIN) ## every fault of the disk, every byte damaged, folders removed, read-only and full, a thousand kills (minutes)
	go test ./test/faults -count=1 -v -timeout 60m -stride 1 -bytes 1 -flips 1000 -kills 1000 -binary $(abspath $(BIN))

.PHONY: many
many: $(BIN) ## ten thousand tiny runs: overhead, status, analyze, memory, open files (a minute)
	go run ./test/acceptance/many -runs 10000 $(BIN)

.PHONY: gallery
gallery: ## one figure of every kind from small studies: writes docs/gallery.md and its figures (minutes)
	go run ./experiments/gallery

.PHONY: watched
watched: $(BIN) ## training alone and beside a page with 100 slow clients, in turns: what it costs (a minute)
	go run ./test/acceptance/watched $(BIN)

GO_FILES = $$(git ls-files --cached --others --exclude-standard '*.go')

.PHONY: lint
lint: ## gofumpt, vet, staticcheck; generated code is up to date
	@wrong=$$(go tool gofumpt -l $(GO_FILES)); test -z "$$wrong" || { echo "not formatted (run make format):" $$wrong; exit 1; }
	go vet ./...
	internal/kernel/generate.sh --check
	go tool staticcheck ./...

.PHONY: format
format: ## gofumpt every file
	go tool gofumpt -w $(GO_FILES)

.PHONY: generate
generate: ## write the assembly of the kernels anew
	go generate ./internal/kernel

.PHONY: purego cross-vet
purego: ## tests with the portable kernels
	go test -tags purego ./internal/kernel ./resnet ./internal/train

.PHONY: bits test-arm64
QEMU := /usr/bin/qemu-aarch64-static
$(QEMU):
	apt-get update && apt-get install -y --no-install-recommends qemu-user-static

bits: $(QEMU) ## the same bytes of small studies by programs for other levels and tiers of amd64, for arm64 and riscv64 (minutes; under QEMU)
	go run ./test/bits bin/bits

.PHONY: kernels-arm64
OBJDUMP := /usr/bin/aarch64-linux-gnu-objdump
$(OBJDUMP):
	apt-get update && apt-get install -y --no-install-recommends binutils-aarch64-linux-gnu

kernels-arm64: $(QEMU) $(OBJDUMP) ## property tests of the kernels of arm64 (under QEMU, a minute), and their encodings by a disassembler
	GOARCH=arm64 go test -exec $(QEMU) ./internal/kernel
	cd internal/kernel/generate && go test ./neon

.PHONY: instructions
instructions: $(QEMU) ## instructions of kernels of arm64 beside those of AVX2 (under QEMU)
	go run ./test/instructions

test-arm64: $(QEMU) ## tests of the packages that start no processes, on arm64 (under QEMU, long)
	GOARCH=arm64 go test -timeout 60m -exec $(QEMU) $$(go list ./... | grep -v -E '/(test/|internal/(cli|process|machine|execute/slurm)$$|experiments/)')

cross-vet: ## what other systems and processors compile
	for system in linux/arm64 linux/riscv64 darwin/arm64 windows/amd64 freebsd/amd64; do \
		echo "vet $$system" && GOOS=$${system%/*} GOARCH=$${system#*/} go vet ./... || exit 1; done

.venv/installed:
	python3 -m venv .venv || { apt-get update && apt-get install -y --no-install-recommends python3-venv && python3 -m venv .venv; }
	.venv/bin/pip install --quiet pandas pyarrow safetensors numpy
	touch $@

# The tools that build the wheel, apart from what tests install.
.wheel/installed:
	python3 -m venv .wheel || { apt-get update && apt-get install -y --no-install-recommends python3-venv && python3 -m venv .wheel; }
	.wheel/bin/pip install --quiet hatchling ruff "pyright[nodejs]" pytest hypothesis numpy pandas pandas-stubs polars pyarrow matplotlib
	touch $@

# GOOS=darwin GOARCH=arm64 make wheel builds that of another machine.
PLATFORM := $(shell go env GOOS)/$(shell go env GOARCH)
PROGRAM := python/build/deeplimit$(if $(findstring windows,$(PLATFORM)),.exe)

# hatchling alone, for the wheels of a release.
.hatch/installed:
	python3 -m venv .hatch || { apt-get update && apt-get install -y --no-install-recommends python3-venv && python3 -m venv .hatch; }
	.hatch/bin/pip install --quiet 'hatchling==1.27.0'
	touch $@

# The Go that compiles releases, whose library has no known vulnerability that the program can reach: fetched by the go
# command, and copied, as files of its cache may not be replaced (internal/machine/overlay). Where it cannot be fetched, the one at hand.
COMPILER := go1.26.11
RELEASE_GO := cd release && export PATH="$(CURDIR)/.compiler/$(COMPILER)/bin:$$PATH" GOTOOLCHAIN=local && go
.compiler/$(COMPILER)/bin/go:
	mkdir -p .compiler
	root=$$(GOTOOLCHAIN=$(COMPILER) go env GOROOT) || { root=$$(go env GOROOT); echo "$(COMPILER) cannot be fetched: taking $$root"; }; \
		rm -rf .compiler/new && cp -rL "$$root" .compiler/new && chmod -R u+w .compiler/new && rm -rf .compiler/$(COMPILER) && mv .compiler/new .compiler/$(COMPILER)

.PHONY: release test-release licences vulnerabilities
release: .hatch/installed .compiler/$(COMPILER)/bin/go ## dist/: an archive, packages, an image and a wheel for each platform, checksums and components (docs/release.md; minutes)
	$(RELEASE_GO) run . build -hatchling $(CURDIR)/.hatch/bin/hatchling

test-release: .compiler/$(COMPILER)/bin/go ## a release built twice, in two clones, has the same bytes, and its demo runs alone in an empty root (a module of its own)
	$(RELEASE_GO) vet . && go test -count=1 -timeout 20m . -args -whole

licences: .compiler/$(COMPILER)/bin/go ## licences of all that the program is compiled from; one that is not allowed is an error
	$(RELEASE_GO) run . licences

vulnerabilities: .compiler/$(COMPILER)/bin/go ## known vulnerabilities that the program can reach
	$(RELEASE_GO) run . vulnerabilities

.PHONY: wheel lint-python test-python test-torch test-trainers test-jax
wheel: .wheel/installed ## the Python package with the program in it: dist/deeplimit-*.whl
	@mkdir -p python/build dist
	rm -f dist/deeplimit-*.whl
	export CGO_ENABLED=0 && $(PORTABLE) -ldflags='-s -w' -o $(PROGRAM) ./cmd/deeplimit
	cd python && DEEPLIMIT_PLATFORM=$(PLATFORM) ../.wheel/bin/hatchling build -t wheel -d ../dist

lint-python: .wheel/installed ## ruff and pyright on the Python package
	cd python && ../.wheel/bin/ruff check . && ../.wheel/bin/ruff format --check .
	cd python && ../.wheel/bin/pyright --pythonpath ../.wheel/bin/python

test-python: wheel ## the wheel alone in a fresh environment: tests, doctests
	python/test.sh dist/deeplimit-*.whl

test-torch: wheel ## recording of PyTorch, beside Debian's python3-torch, and the examples in python/examples
	python/test_torch.sh dist/deeplimit-*.whl

test-trainers: wheel ## recording of today's PyTorch, Lightning and the Hugging Face Trainer, which are gigabytes to download (kept in .venv-trainers)
	test -x .venv-trainers/bin/pip || python3 -m venv .venv-trainers
	.venv-trainers/bin/pip install --quiet --upgrade torch lightning transformers accelerate pytest
	.venv-trainers/bin/pip install --quiet --force-reinstall --no-deps dist/deeplimit-*.whl
	.venv-trainers/bin/pip install --quiet dist/deeplimit-*.whl
	.venv-trainers/bin/python -m pytest -q -rs python/tests/test_torch.py python/tests/test_callbacks.py

test-jax: wheel ## recording of JAX, Flax and Equinox, installed into a fresh environment
	python/test_jax.sh dist/deeplimit-*.whl

.PHONY: readme
readme: $(BIN) .venv/installed ## README.md from top to bottom as a script, and no file of it left in the clone
	go run ./test/readme | PATH="$(CURDIR)/.venv/bin:$$PATH" bash -eux
	rm -rf study.yaml study.bib regime.yaml result.json tables

.PHONY: bench
bench: ## Go benchmarks of kernels and of a step
	go test -run '^$$' -bench . ./internal/kernel ./resnet

PEERS := experiments/peers/.venv
$(PEERS)/installed: experiments/peers/requirements.txt
	python3 -m venv $(PEERS)
	$(PEERS)/bin/pip install --quiet --requirement $<
	touch $@

.PHONY: peers-pvar
peers-pvar: ## p-variation beside the C++ code khumarahn/p-var: PEER names a checkout of it (a minute)
	go run ./experiments/peers/pvar -peer "$(PEER)"

.PHONY: peers
peers: $(BIN) $(PEERS)/installed ## the step against NumPy, PyTorch and JAX: writes docs/performance.md (half an hour, 6 GB; PEERS_FLAGS=--quick for a look)
	$(PEERS)/bin/python experiments/peers/run.py $(BIN) $(PEERS_FLAGS)
