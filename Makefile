# Every target sets up what it needs in .venv (Python 3.11 and make are enough) and says so; a second run is quick.
.DEFAULT_GOAL := help
.PHONY: demo test check bench chaos ci ci-full clean help

demo: .venv/.runtime ## the whole job on an embedded broker, then the books (ARGS="--events 200000" and others)
	@.venv/bin/distinct-consumer demo $(ARGS)

test: .venv/.dev ## all tests; those on a real broker where Java and Maven, Docker or TEST_KAFKA_BOOTSTRAP_SERVERS is there
	@scripts/test

check: .venv/.dev ## what a change must keep: format, lint, types, layers, unit tests
	@scripts/check

bench: .venv/.dev ## throughput and CPU a record on a real broker, beside a bare loop (ARGS=… is handed on)
	@.venv/bin/python -m bench $(ARGS)

SECONDS ?= 60
SEED ?= 1
chaos: .venv/.dev ## random faults by seed on a group of three, then the books (SECONDS=600 SEED=7, ARGS=… is handed on)
	@.venv/bin/python -m tests.chaos --seconds $(SECONDS) --seed $(SEED) $(ARGS)

ci: ## what CI runs: test, the real-broker suite required, check, the wheel in an empty environment
	@.ci/run

ci-full: ## the same with the tests that take minutes, and the bench
	@.ci/run --full

clean: ## remove what set-up, tests and tools left behind
	rm -rf .venv .cache dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage*
	find consumer tests bench -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.venv/.runtime: requirements/runtime.txt requirements/build.txt pyproject.toml
	@scripts/setup runtime

.venv/.dev: requirements/dev.txt pyproject.toml
	@scripts/setup dev
