# `make demo` and `make test` do all the set-up. Variables: PYTHON=python3.12 (any from 3.11 on),
# TORCH_ARGS="--index-url ADDRESS" (another build of PyTorch, see README), ARGS="..." (passed to the command), WORKERS=N
# (processes that test at once).

PYTHON ?= python3
TORCH := torch==2.13.0
TORCH_ARGS ?=
ARGS ?=
# Two processes with one thread each: threads of several processes wait for one another.
WORKERS ?= 2
BIN := .venv/bin
PROGRAM := .venv/.program
TOOLS := .venv/.tools
LONG := slow or browser or crash

.DEFAULT_GOAL := help
.PHONY: help install demo test test-all check docs-check fix lock proof chaos bench hooks clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(PROGRAM) ## make .venv and install the program (the other targets do it themselves)

demo: $(PROGRAM) ## documents to a tested, citing assistant, offline, on the shipped sample
	@$(BIN)/doceo demo $(ARGS)

test: $(TOOLS) ## the tests that a change has to pass, under 5 minutes, network blocked
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

test-all: test ## make test, then the long tiers: slow, browser, crash
	$(BIN)/python -m pytest -m "$(LONG)" $(ARGS)

check: $(TOOLS) docs-check ## style, types, import floors, and the docs against the program
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs-check: $(TOOLS) ## the docs against the program, and their figures against the results files
	$(BIN)/python scripts/check_docs.py
	$(BIN)/python scripts/check_figures.py

fix: $(TOOLS) ## repair style where ruff can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(TOOLS) ## write requirements*.txt after a change of pyproject.toml (ARGS=--upgrade: all the newest)
	$(BIN)/python scripts/lock.py $(ARGS)

proof: $(PROGRAM) ## the closed loop against known truth, on invented towns (ARGS="--seeds 10": as many as published)
	$(BIN)/python benchmarks/bench_proof.py $(ARGS)

chaos: $(TOOLS) ## jobs of the service while something is killed every twenty seconds (ARGS="--every 5 --seed 1")
	$(BIN)/python benchmarks/chaos.py $(ARGS)

bench: $(PROGRAM) ## the measurements behind the figures in the docs
	@set -e; for file in benchmarks/bench_*.py; do echo "== $$file"; $(BIN)/python "$$file" $(ARGS); done

hooks: $(TOOLS) ## run the quick checks before every commit
	$(BIN)/pre-commit install

clean: ## remove .venv and caches; runs stay
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Installing only when something changed: the stamps are newer than the files they depend on.
$(PROGRAM): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Doceo needs Python 3.11 or newer, and '$(PYTHON)' is not. Name another one: make PYTHON=python3.12" >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@echo "1/3 PyTorch"
	@$(BIN)/python -m pip install --disable-pip-version-check $(TORCH_ARGS) $(TORCH)
	@echo "2/3 $$(grep -c == requirements.txt) packages, a minute or two"
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps -r requirements.txt
	@echo "3/3 Doceo"
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(TOOLS): $(PROGRAM) requirements-dev.txt
	@echo "Tools for tests and checks"
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps -r requirements-dev.txt
	@touch $@
