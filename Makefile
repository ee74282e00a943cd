# The targets that developers and CI use; CONTRIBUTING.md describes them.
GOTESTSUM := gotest.tools/gotestsum@v1.13.0
GOLANGCI  := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
RELEASER  := github.com/goreleaser/goreleaser/v2@v2.15.1

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

BIN ?= bin/sessionbot

.PHONY: bench build test test-deploy nightly faults fuzz soak lint docs pictures image snapshot release print-version

build:
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o $(BIN) ./cmd/sessionbot

# The container image, from the same build.
image:
	docker build -f deploy/Dockerfile --build-arg VERSION=$(VERSION) -t sessionbot:$(VERSION) .

# Builds all that a release consists of into bin/dist, without publishing it, and
# checks it. The image is left out where there is no Docker.
snapshot:
	go run $(RELEASER) check
	go run $(RELEASER) release --snapshot --clean --skip=announce$$(docker info >/dev/null 2>&1 || echo ,docker)
	.ci/snapshot

# Publishes a release of the tag that is checked out. The workflow runs it.
release:
	go run $(RELEASER) release --clean

print-version:
	@echo $(VERSION)

# Generates docs/configuration.md from the code; a test fails if it is stale.
docs:
	go test ./cmd/sessionbot -run TestConfigurationReference -update

# Takes the documents' pictures again, from the demo's browser tests: each has the name
# of the screenshot that it is.
pictures:
	rm -rf bin/shots && mkdir -p bin/shots
	SHOTS=$(CURDIR)/bin/shots REQUIRE_ALL=1 go test -count=1 -run '^TestDemo(Story|Repairs|Incident|Canary)?$$' ./cmd/sessionbot
	for picture in docs/pictures/*.png; do cp "bin/shots/$${picture##*/}" docs/pictures/ || exit 1; done

# Tests mostly wait, so more run in parallel than there are cores; fewer with the race
# detector, which takes several times the processor time.
PARALLEL := -parallel $(if $(RACE),4,8) -timeout 30m

# Lists every skipped test with the reason. RACE=-race uses the race detector,
# which needs a C compiler.
RACE ?=
PACKAGES ?= ./cmd/sessionbot ./... # the longest first
test:
	go run $(GOTESTSUM) --format pkgname-and-test-fails -- $(RACE) $(PARALLEL) $(PACKAGES)
	$(if $(filter ./...,$(PACKAGES)),$(MAKE) test-deploy)

# Tests the modules of the deployment's files, which need more libraries.
test-deploy:
	cd deploy/rules && go test ./...
	cd deploy/kubernetes && go test ./...

# Runs what takes too long for every day, one after the other: the faults are timed.
nightly:
	go test $(NIGHTLY) -run '^(TestNoPermission.*|TestReleaseInAnEmptyRoot|TestGoInstall)$$' ./cmd/sessionbot
	$(MAKE) faults WRITE=
	$(MAKE) fuzz FUZZTIME=3m
	$(MAKE) soak

NIGHTLY := -tags nightly -count=1 -v $(PARALLEL)

# Injects faults into one dependency after the other under two replicas of the
# bot, and writes docs/reliability.md; with WRITE= it only compares the document.
WRITE ?= -update
faults:
	go test $(NIGHTLY) -run '^TestFaults$$' ./cmd/sessionbot $(WRITE)

# Runs every fuzz target for FUZZTIME each.
FUZZTIME ?= 20s
fuzz:
	FUZZTIME=$(FUZZTIME) .ci/fuzz

# Two replicas under random users and random faults for SOAK. SEED repeats the
# faults of a run.
SOAK ?= 10m
SEED ?= 0
soak:
	go test $(NIGHTLY) -timeout 0 -run '^TestSoak$$' ./cmd/sessionbot -soak $(SOAK) -seed $(SEED)

# Measures the load on Redis and the bot's latency, and writes docs/performance.md.
# Needs redis-server, Node and npm, and takes less than five minutes; with QUICK=1,
# with a tenth of the sessions, about one.
bench: build
	mkdir -p bin/bolt
	cp internal/workspace/testdata/bolt/package.json internal/bench/testdata/bot.mjs bin/bolt
	npm --prefix bin/bolt install --silent --no-audit --no-fund --ignore-scripts --prefer-offline redis@5.8.0
	go run ./internal/bench

lint:
	go run $(GOLANGCI) run
