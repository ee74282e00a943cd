# What is called by hand and by the CI alike.
GOTESTSUM := gotest.tools/gotestsum@v1.13.0
GOLANGCI  := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

BIN ?= bin/sessionbot

.PHONY: bench build test nightly faults fuzz soak lint docs image print-version

build:
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o $(BIN) ./cmd/sessionbot

# The container's image, of the same build.
image:
	docker build -f deploy/Dockerfile --build-arg VERSION=$(VERSION) -t sessionbot:$(VERSION) .

print-version:
	@echo $(VERSION)

# What is written from the code; a test fails where it is stale.
docs:
	go test ./cmd/sessionbot -run TestConfigurationReference -update

# Most tests wait most of the time, so more run at once than there are cores.
PARALLEL := -parallel 8 -timeout 30m

# Names every test that was skipped, and why. With RACE=-race, which needs a C
# compiler, they run with the race detector.
RACE ?=
test:
	go run $(GOTESTSUM) --format pkgname-and-test-fails -- $(RACE) $(PARALLEL) ./...
	cd deploy/rules && go test ./...

# What takes too long for every day; one after the other, since the faults are
# measured.
nightly:
	go test $(NIGHTLY) -run '^(TestNoPermission.*|TestReleaseInAnEmptyRoot)$$' ./cmd/sessionbot
	$(MAKE) faults WRITE=
	$(MAKE) fuzz FUZZTIME=3m
	$(MAKE) soak

NIGHTLY := -tags nightly -count=1 -v $(PARALLEL)

# Breaks one neighbour after the other under two replicas of the bot, and writes
# docs/reliability.md; with WRITE= the document is only compared.
WRITE ?= -update
faults:
	go test $(NIGHTLY) -run '^TestFaults$$' ./cmd/sessionbot $(WRITE)

# Every fuzz target, each for FUZZTIME.
FUZZTIME ?= 20s
fuzz:
	FUZZTIME=$(FUZZTIME) .ci/fuzz

# Two replicas, people who type and click, and faults at random, for so long.
# SEED= repeats the faults of a run.
SOAK ?= 10m
SEED ?= 0
soak:
	go test $(NIGHTLY) -timeout 0 -run '^TestSoak$$' ./cmd/sessionbot -soak $(SOAK) -seed $(SEED)

# What the bot costs Redis and how quick it is: writes docs/performance.md. It
# needs redis-server, Node and npm, and takes less than five minutes; with QUICK=1,
# for a tenth of the sessions, about one.
bench: build
	mkdir -p bin/bolt
	cp internal/workspace/testdata/bolt/package.json internal/bench/testdata/bot.mjs bin/bolt
	npm --prefix bin/bolt install --silent --no-audit --no-fund --ignore-scripts --prefer-offline redis@5.8.0
	go run ./internal/bench

lint:
	go vet -tags nightly,record ./...
	go run $(GOLANGCI) run
