# Everything a newcomer or CI runs. Each target installs what it needs into .venv first.
.DEFAULT_GOAL := help
.PHONY: help demo test check soak crash mutants scale bench lock fix clean

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
WORKERS ?= 3
ROWS    ?= 10000
READING ?=
N       ?= 2000
SEED    ?=
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
PIP     := $(BIN)/python -m pip install --quiet --disable-pip-version-check

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/run.stamp  ## Watch appointments cross, on this machine alone
	@$(BIN)/calferry demo

test: $(VENV)/dev.stamp  ## Run all tests (a few minutes)
	@$(BIN)/pytest -q -n $(WORKERS)

check: $(VENV)/dev.stamp  ## Lint, format, types, architecture
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

soak: $(VENV)/dev.stamp  ## The property tests, long and with fresh random data
	$(BIN)/pytest -q -n $(WORKERS) --hypothesis-profile=soak tests

crash: $(VENV)/dev.stamp  ## Kill calferry N times (2000) at random instants; SEED=… repeats a run
	@$(BIN)/python -m tests.crash --kills=$(N) --workers=$(WORKERS) $(if $(SEED),--seed=$(SEED))

mutants: $(VENV)/dev.stamp  ## Plant bugs, one at a time, and show which test notices
	@$(BIN)/python -m tests.mutants

scale: $(VENV)/dev.stamp  ## Carry 10,000 appointments in each reading of each system
	$(BIN)/pytest -q tests/convergence/test_systems.py --rows=$(ROWS) -k "$(READING)"

bench: $(VENV)/dev.stamp  ## Measure, as ratios
	$(BIN)/python -m benchmarks

fix: $(VENV)/dev.stamp  ## Let ruff put right what it can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock:  ## Resolve the dependencies anew (needs uv)
	$(COMPILE) --upgrade --group dev pyproject.toml -o requirements-dev.lock
	$(COMPILE) -c requirements-dev.lock pyproject.toml -o requirements.lock
	$(COMPILE) -c requirements-dev.lock --group build -o requirements-build.lock

clean:  ## Remove the environment and all caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "calferry needs Python 3.11 or newer; try make PYTHON=python3.12 …")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing calferry into $(VENV) …"
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --require-hashes -r requirements-build.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock $(VENV)/run.stamp
	@echo "Installing the test and check tools into $(VENV) …"
	@$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@
