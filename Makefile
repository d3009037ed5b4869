# The few commands a person types. `make` alone lists them. Everything uses the release profile, so that RocksDB,
# which is 20 to 40 CPU-minutes of C++, is built once.

SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help deps build up down status test test-sim test-python verify arrows deny fix bench soak chaos porcupine planted sim sim-planted fuzz fuzz-all fuzz-corpus clean-data

# ccache keeps the C++ objects over `cargo clean` and between checkouts. The exact words matter: cargo rebuilds
# RocksDB when they change, so every way into the build (this file, .ci/run) uses the same ones.
export CC := ccache cc
export CXX := ccache c++

# Where the local cluster lives, how many nodes it has, and what `make up` imports.
DIR ?= farthing-data
NODES ?= 3
SAMPLE := cluster/sample/payments.csv
FARTHING_PAYMENTS ?= $(SAMPLE)
# The sample keeps to ids of its own, so that a real file can be imported beside it.
IMPORT_ARGS ?= $(if $(filter $(SAMPLE),$(FARTHING_PAYMENTS)),--namespace sample)

CARGO ?= cargo
# Tests kill nodes at named points, which only a build with this feature has.
TEST_FEATURES := --features farthing-node/failpoints
TARGET := $(or $(CARGO_TARGET_DIR),target)
FARTHING := $(TARGET)/release/farthing
# The simulator is a workspace of its own with flags of its own (see sim/.cargo/config.toml); it shares the directory of
# build products, and ccache its share of RocksDB.
SIM_CARGO = cd sim && CARGO_TARGET_DIR="$(abspath $(TARGET))" RUSTFLAGS="--cfg tokio_unstable" $(CARGO)
SIM := $(abspath $(TARGET))/release/farthing-sim
BENCH_DIR ?= $(DIR)-bench
BENCH_ARGS ?= --transfer-count 1000000

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps: ## install missing system packages, or say exactly what to install
	@.ci/deps

build: deps ## build farthing and farthing-node (the first time takes long: RocksDB)
	$(CARGO) build --release --locked --workspace --bins

up: build ## start three nodes, import payments (FARTHING_PAYMENTS=FILE), check the books
	@$(FARTHING) --dir $(DIR) cluster up --nodes $(NODES)
	@$(FARTHING) --dir $(DIR) import --top 5 $(IMPORT_ARGS) "$(FARTHING_PAYMENTS)"
	@$(FARTHING) --dir $(DIR) verify

down: ## stop the local cluster; its data stays in DIR
	@$(FARTHING) --dir $(DIR) cluster down

status: ## show the nodes of the local cluster
	@$(FARTHING) --dir $(DIR) cluster status

test: deps ## run every test
	$(CARGO) test --release --locked --workspace $(TEST_FEATURES)
	@$(MAKE) --no-print-directory test-sim
	@$(MAKE) --no-print-directory test-python

test-sim: deps ## run the simulator's own tests: some seeds, and mistakes that must be found
	$(SIM_CARGO) test --release --locked

# In an environment of its own beside the build products; the packages come from PyPI the first time.
PYTHON ?= python3
PYTHON_ENV := $(TARGET)/python
test-python: deps ## run the Python SDK's tests against three nodes (needs python3 with venv)
	@$(PYTHON) -m venv "$(PYTHON_ENV)"
	@"$(PYTHON_ENV)/bin/pip" install --quiet --disable-pip-version-check "./client/python[test,generate]"
	PATH="$(abspath $(PYTHON_ENV))/bin:$$PATH" client/python/generate.sh --check
	$(CARGO) test --release --locked --workspace $(TEST_FEATURES) --no-run
	FARTHING_BIN="$(abspath $(FARTHING))" "$(PYTHON_ENV)/bin/python" -m pytest -q client/python/tests

verify: deps ## only look: format, lints, arrows between modules, documentation, licences
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --locked --workspace --all-targets $(TEST_FEATURES) -- -D warnings
	cd sim && $(CARGO) fmt --check
	$(SIM_CARGO) clippy --release --locked --all-targets -- -D warnings
	@$(MAKE) --no-print-directory arrows
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --locked --workspace --no-deps
	@if command -v cargo-deny >/dev/null 2>&1; then $(MAKE) --no-print-directory deny; else \
	  echo "Skipped: licences and advisories. For that check: cargo install --locked cargo-deny && make deny"; fi

arrows: ## check which crate and which layer may use which
	$(CARGO) test --release --locked -p farthing-cluster --test arrows

deny: ## check licences, advisories, bans and sources of dependencies (needs cargo-deny)
	$(CARGO) deny --locked --all-features check licenses bans sources
	@if $(CARGO) deny --locked fetch db 2>/dev/null; then $(CARGO) deny --locked --all-features check advisories; else \
	  echo "Skipped: advisories, because their database (github.com/RustSec/advisory-db) cannot be reached from here"; fi

fix: ## change what can be mended by itself: format and mechanical lints
	$(CARGO) clippy --release --workspace --all-targets --fix --allow-dirty --allow-staged
	$(CARGO) fmt --all
	cd sim && $(CARGO) fmt

bench: build ## measure a fresh cluster of three nodes (BENCH_ARGS=... for other shapes)
	@rm -rf "$(BENCH_DIR)"
	@$(FARTHING) --dir $(BENCH_DIR) cluster up --nodes $(NODES)
	@trap '$(FARTHING) --dir $(BENCH_DIR) cluster down && rm -rf "$(BENCH_DIR)"' EXIT; \
	  $(FARTHING) --dir $(BENCH_DIR) bench $(BENCH_ARGS)

soak: build ## ten minutes of full load on a fresh cluster: elections, memory, bytes on disk
	@$(MAKE) --no-print-directory bench BENCH_ARGS="--duration 10min"

# Nine cells of 20 s in a build with named points; a folder with a report is left for each.
CHAOS_DIR ?= $(DIR)-chaos
CHAOS_SEED ?= 1
CHAOS_CELLS := transfer:kill two-phase:partition bank:pause linked:net append:storm limits:bit-flip \
  idempotence:failpoint indefinite:snapshot membership:members

# Builds what `make test` builds, so that one compilation serves both.
chaos: deps ## break small clusters for five minutes and check that nothing acknowledged is lost
	$(CARGO) test --release --locked --workspace $(TEST_FEATURES) --no-run
	@rm -rf "$(CHAOS_DIR)"
	@failed=0; for cell in $(CHAOS_CELLS); do \
	  $(TARGET)/release/jepsen run --workload "$${cell%%:*}" --nemesis "$${cell##*:}" --time 20 \
	    --seed $(CHAOS_SEED) --dir "$(CHAOS_DIR)/$${cell/:/-}" || failed=1; \
	done; exit "$$failed"

# A node that can have bugs planted is built, set apart under a name of its own, and the ordinary one built again.
PLANTED_DIR ?= $(DIR)-planted
planted: deps ## plant bugs in nodes, one after another, until a checker notices each (PLANTED=names, none, list)
	$(CARGO) build --release --locked -p farthing-node -p farthing-jepsen --features farthing-node/planted
	@cp $(TARGET)/release/farthing-node $(TARGET)/release/farthing-node-planted
	$(CARGO) build --release --locked -p farthing-node
	$(TARGET)/release/jepsen planted --node-bin $(TARGET)/release/farthing-node-planted --dir "$(PLANTED_DIR)" $(PLANTED)

# Four minutes of appends under faults, judged by a checker that is not ours; then the same with a stale read in it.
PORCUPINE_DIR ?= $(DIR)-porcupine
porcupine: deps ## have the append history of a run judged by Porcupine (needs go)
	@command -v go >/dev/null || { echo "Porcupine is a Go library: install Go 1.22 or later (apt-get install golang-go)"; exit 1; }
	$(CARGO) build --release --locked -p farthing-node -p farthing-jepsen
	@rm -rf "$(PORCUPINE_DIR)"
	$(TARGET)/release/jepsen run --workload append --nemesis kill,partition --rate 4000 --time 240 \
	  --seed 7 --dir "$(PORCUPINE_DIR)"
	$(TARGET)/release/jepsen mutate --mutation stale-read "$(PORCUPINE_DIR)/history.jsonl" "$(PORCUPINE_DIR)/stale.jsonl"
	@for history in history stale; do $(TARGET)/release/jepsen export --porcupine \
	  "$(PORCUPINE_DIR)/$$history.jsonl" --out "$(PORCUPINE_DIR)/$$history.porcupine.jsonl"; done
	cd jepsen/porcupine && go build -o "$(abspath $(PORCUPINE_DIR))/porcupine" . && go test ./...
	"$(PORCUPINE_DIR)/porcupine" "$(PORCUPINE_DIR)/history.porcupine.jsonl"
	@if "$(PORCUPINE_DIR)/porcupine" "$(PORCUPINE_DIR)/stale.porcupine.jsonl"; then \
	  echo "Porcupine accepted a stale read"; exit 1; else echo "The stale read was rejected, as it must be"; fi

SEEDS ?= 1000
FROM ?= 0
JOBS ?= 2

sim: deps ## simulate clusters by seeds (SEEDS=1000 FROM=0 JOBS=2), or one again with its trace (SEED=4711)
	$(SIM_CARGO) build --release --locked
ifdef SEED
	$(SIM) replay $(SEED) --trace sim-$(SEED).trace
else
	$(SIM) run --seeds $(SEEDS) --from $(FROM) --jobs $(JOBS)
endif

sim-planted: deps ## show that the simulator finds mistakes made on purpose
	$(SIM_CARGO) build --release --locked
	$(SIM) planted

# What every decoder must hold is in the crate `hostile`; `make test` runs it with seeded mutations.
MINUTES ?= 10
fuzz: ## fuzz one target: TARGET=peer MINUTES=10 (needs a nightly toolchain and cargo-fuzz)
	@$(if $(filter command,$(firstword $(origin TARGET))),fuzz/run $(TARGET) $(MINUTES),\
	  echo "TARGET=NAME is missing; the names: $(notdir $(basename $(wildcard fuzz/fuzz_targets/*.rs)))"; exit 1)

JOBS ?= 1
fuzz-all: ## fuzz all targets in MINUTES=60, JOBS=2 at once, the least tried first; adds to fuzz/results.jsonl
	@fuzz/run all $(MINUTES) $(JOBS)

fuzz-corpus: ## write the inputs that fuzzing begins with
	$(CARGO) run --release --locked -p farthing-hostile -- corpus fuzz

clean-data: ## stop the local cluster and delete its data
	@if [[ -x "$(FARTHING)" && -d "$(DIR)" ]]; then $(FARTHING) --dir $(DIR) cluster down; fi
	rm -rf "$(DIR)"
