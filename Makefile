# Every target sets up what it needs in .venv (Python 3.11 and make are enough) and says so; a second run is quick.
.DEFAULT_GOAL := help
.PHONY: demo test check bench bench-peers bench-compare bench-backlog bench-long fuzz chaos build native ci ci-full clean help

demo: .venv/.runtime ## the whole job on an embedded broker, then the books (ARGS="--events 200000" and others)
	@.venv/bin/distinct-consumer demo $(ARGS)

test: .venv/.dev ## all tests; those on a real broker where Java and Maven, Docker or TEST_KAFKA_BOOTSTRAP_SERVERS is there
	@scripts/test

check: .venv/.dev ## what a change must keep: format, lint, types, layers, audit, unit tests
	@scripts/check

bench: .venv/.dev ## throughput, CPU and latency on a real broker, beside a bare loop (ARGS=… is handed on)
	@.venv/bin/python -m bench $(ARGS)

bench-peers: .venv/.dev ## beside Redpanda Connect, parallel-consumer, Quix Streams and two loops (Go, Java, Maven)
	@.venv/bin/python -m bench.peers $(ARGS)

bench-compare: .venv/.dev ## two commits in turns: A=main B=HEAD (`.` is the checkout as it stands)
	@.venv/bin/python -m bench.compare $(or $(A),main) $(or $(B),HEAD) $(ARGS)

build: .venv/.dev ## sdist, wheel and SBOM (CycloneDX) in dist/
	@.venv/bin/python -m hatchling build -d dist
	@scripts/sbom dist

native: .venv/.runtime ## the optional native Avro reader, built (Rust) into dist/ and installed in .venv
	@scripts/native

bench-backlog: .venv/.dev ## memory while an endpoint is down and RECORDS (5000000) wait behind it; real broker, ~10 minutes, 2 GB of disk
	@.venv/bin/python -m bench.backlog --records $(or $(RECORDS),5000000) $(ARGS)

bench-long: .venv/.dev ## growth, backlog, scale, what guarantees cost, the adaptive limit: an hour and more; ROWS="scale" for some, ARGS="--output json"
	@.venv/bin/python -m bench.long $(ARGS) $(or $(ROWS),growth growth --ids time-ordered backlog scale guarantees adaptive)

fuzz: .venv/.dev ## what reads bytes of others, given any bytes: SECONDS=60 for each target (see CONTRIBUTING.md)
	@.venv/bin/python -m tests.fuzz --seconds $(or $(SECONDS),60)

chaos: .venv/.dev ## random faults by seed on a group of three, then the books (SECONDS=600 SEED=7, ARGS=… is handed on)
	@.venv/bin/python -m tests.chaos --seconds $(or $(SECONDS),60) --seed $(or $(SEED),1) $(ARGS)

ci: ## what CI runs: test, the real-broker suite required, check, the wheel in an empty environment
	@.ci/run

ci-full: ## the same with the tests that take minutes, and the bench
	@.ci/run --full

clean: ## remove what set-up, tests and tools left behind
	rm -rf .venv .cache dist build native/target .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage*
	find consumer tests bench -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.venv/.runtime: requirements/runtime.txt requirements/build.txt pyproject.toml
	@scripts/setup runtime

.venv/.dev: requirements/dev.txt pyproject.toml
	@scripts/setup dev
