# Targets for people; `make` lists them. Each does the set-up it needs on a machine
# that has only Go.
.DEFAULT_GOAL := help
BIN := bin/deeplimit
SOURCES := $(shell find . -name '*.go' -o -name '*.s' -o -name '*.yaml' -path './study/*') go.mod go.sum

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(BIN): $(SOURCES)
	@mkdir -p bin
	go build -o $(BIN) ./cmd/deeplimit

.PHONY: build
build: $(BIN) ## build bin/deeplimit

.PHONY: run
run: $(BIN) ## the main job: a depth study on digits and separated inputs, with its report
	$(BIN) run examples/quickstart.yaml

.PHONY: test
test: ## all tests, offline
	go test ./...

.PHONY: lint
lint: ## gofumpt, vet, staticcheck; generated code is up to date
	@test -z "$$(go tool gofumpt -l .)" || { echo 'not formatted (run make format):'; go tool gofumpt -l .; exit 1; }
	go vet ./...
	internal/kernel/generate.sh --check
	go tool staticcheck ./...

.PHONY: format
format: ## gofumpt every file
	go tool gofumpt -w .

.PHONY: purego
purego: ## tests with the portable kernels, and a cross-build for arm64
	go test -tags purego ./internal/kernel ./resnet ./train
	GOARCH=arm64 go vet ./...

.PHONY: bench
bench: ## Go benchmarks of kernels and of a step
	go test -run '^$$' -bench . ./internal/kernel ./resnet
