# Two commands: `make demo` and `make test`. Both need Python 3.11+ and make, and set up everything else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export DAGSTER_DISABLE_TELEMETRY := 1

.DEFAULT_GOAL := help
.PHONY: help demo test ui check lint types contract real-input bench bench-sandbox clients lock clean

help: ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/.run ## the whole story on the simulated company; ends by itself
	@$(BIN)/hub demo

test: $(VENV)/.dev ## lint, types, import contract and every test, on SQLite and PostgreSQL
	@$(MAKE) --no-print-directory check
	$(BIN)/python -m pytest -n 4 --dist loadgroup

ui: $(VENV)/.run ## the Dagster UI on the demo's state, on 127.0.0.1:3000
	@$(BIN)/hub ui --config .hub/demo/config

check: lint types contract ## everything that is checked without running the tests

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

contract: $(VENV)/.dev
	$(BIN)/lint-imports

real-input: $(VENV)/.dev ## the real logs through the real connectors, beside an independent count
	$(BIN)/python -m benchmarks.real_input

bench: $(VENV)/.dev ## pull and reconcile at 10,000 and 100,000 items
	$(BIN)/python -m benchmarks.spine

bench-sandbox: $(VENV)/.dev ## the simulated tools at up to a million records, beside the clients that read them
	$(BIN)/python -m benchmarks.sandbox

clients: $(VENV)/.dev ## clients nobody here wrote, against the simulated tools (needs npm)
	HUB_REQUIRE_ALL=1 $(BIN)/python -m pytest tests/clients

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11"; exit 2; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "installing (once, about a minute)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock
	@touch $@

lock: ## resolve dependencies anew (needs uv)
	uv pip compile --universal --generate-hashes --python-version 3.11 --no-annotate --no-header \
	  --extra sandbox --extra build pyproject.toml -o requirements.lock
	uv pip compile --universal --generate-hashes --python-version 3.11 --no-annotate --no-header \
	  --extra dev pyproject.toml -o requirements-dev.lock

clean:
	rm -rf $(VENV) .hub artifacts
