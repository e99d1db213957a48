# Two commands do all the set-up: "make demo" runs the main job, "make test"
# passes the tests. Both need Go (with a C compiler for the race detector) alone.
SHELL := /bin/bash
.DEFAULT_GOAL := help

.PHONY: help demo test unit growth sim stories fuzz soak bench lint build clean

help:
	@echo "make demo    play the expense story, then say how to go on"
	@echo "make test    lint, unit tests and conformance with the race detector, simulation, stories"
	@echo "make sim     the simulation alone: SIM_SEEDS=1500 worlds, always the same"
	@echo "make fuzz    every parser of outside bytes, FUZZ_TIME=5s each"
	@echo "make soak    long: fuzzing, simulation, 200 kills of server and devices, replies cut at every byte"
	@echo "make bench   rates, times, CPU, memory and bytes, beside raw SQLite"
	@echo "make build   bin/landfall"

build:
	go build -o bin/landfall ./cmd/landfall

demo: build
	@bin/landfall demo --story expenses
	@echo
	@echo "Go on: bin/landfall demo    serves this data until Ctrl-C and says what to try."

test: lint unit growth sim stories

# The linter is built from its pinned module, so a new machine needs nothing else.
lint:
	@go mod verify
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo "run gofmt -w on these"; exit 1; }
	go vet ./...
	cd tools && go build -o ../bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	bin/golangci-lint run ./...

unit:
	@command -v gcc >/dev/null || { echo "make test needs a C compiler for the race detector: apt-get install gcc"; exit 1; }
	go test -race -shuffle=on $$(go list ./... | grep -v /stories)

# Judging and pulling cost the same with a thousand and with a hundred thousand
# records stored. Without the race detector, which makes storing them slow.
growth:
	go test -count=1 ./internal/inbox ./internal/changelog

# Whole workspaces, simulated: a number of them and not a time, so that every run
# does the same. It takes one minute to two on two processors. GOGC
# trades memory, of which a world needs little, for time.
SIM_SEEDS ?= 1500
sim: build
	GOGC=400 bin/landfall sim run --seeds $(SIM_SEEDS)

# Real processes: one the server, one each device. The server is built with the
# race detector, too, and a report of it fails the story.
stories:
	go test -race -count=1 ./stories

# Every parser of bytes from outside. What fails is kept as a seed, which the
# unit tests play from then on.
FUZZ_TIME ?= 5s
fuzz:
	scripts/fuzz $(FUZZ_TIME)

# What this machine does, beside raw SQLite on it. BENCH="--only push" narrows it.
bench: build
	bin/landfall bench $(BENCH)

# LANDFALL_KILLS=1000 make soak kills longer, LANDFALL_SEED=7 at other moments;
# LANDFALL_SIM_MINUTES=600 simulates longer, LANDFALL_SIM_FROM=5000000 other worlds.
soak: build
	scripts/fuzz $${SOAK_FUZZ:-30s}
	GOGC=400 bin/landfall sim run --minutes $${LANDFALL_SIM_MINUTES:-30} --from $${LANDFALL_SIM_FROM:-1000000}
	LANDFALL_KILLS=$${LANDFALL_KILLS:-200} go test -race -count=1 -timeout 30m -run 'TestKills$$|TestReplyCutAtEveryByte' -v ./stories

clean:
	rm -rf bin
