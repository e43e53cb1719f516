# Needs Python 3.11 or newer, git and make. Everything is installed into .venv in this checkout, once.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	>/dev/null 2>&1 && { echo "$$p"; break; }; done)

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
OUT ?= out/demo
# Two test processes: each takes up to 2 GiB, more of them gain little.
JOBS ?= 2

.PHONY: demo test data-test lint format docs bench install clean
.DELETE_ON_ERROR:

demo: $(STAMP) ## render a clip with known truth, reconstruct it, print the errors, draw the result
	$(BIN)/dexman-pose models fetch mediapipe-hands
	$(BIN)/dexman-pose demo --out $(OUT)

test: $(STAMP) ## the default tests: no network, no weights, no data
	$(BIN)/python -m pytest -n $(JOBS)

data-test: $(STAMP) ## the tests on real clips; skipped where the data folder is absent
	$(BIN)/python -m pytest -m data

lint: $(STAMP) ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP) ## rewrite the files in the house style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(STAMP) ## the pages of docs/ as a site, in build/site
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt -e '.[docs]'
	$(BIN)/python -m mkdocs build --strict --quiet

bench: $(STAMP) ## how fast this machine is
	$(BIN)/dexman-pose bench

install: $(STAMP)

$(STAMP): pyproject.toml setup.py constraints.txt
	@$(BIN)/python -c '' 2>/dev/null || { \
		test -n "$(PYTHON)" || { echo "no Python from 3.11 to 3.13 with venv was found: install one, or run make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }; \
		rm -rf $(VENV) && "$(PYTHON)" -m venv $(VENV); }
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[video,sam,networks,robot,mjwarp,learn,lerobot,dev]'
	@touch $(STAMP)

clean: ## remove caches and results, keep the environment
	rm -rf build dist out .pytest_cache .mypy_cache .ruff_cache *.egg-info
