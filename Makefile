# The doors to Miyabi: `make demo` shows it, `make test` proves it, `make up` runs it.
# Only Python 3.11 or newer is needed; everything else is installed into .venv from hash-locked lists.

PYTHON ?= python3
ARGS ?=
# Some tests wait more than they work: three of them keep two cores busy.
WORKERS ?= 3

BIN := .venv/bin
MAIN := .venv/.main-installed
DEV := .venv/.dev-installed
PACKAGES := bot core agents connectors audit notifier web miyabi
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
# dkimpy comes as source only (pure Python); nothing else is built.
INSTALL := $(PIP) install --quiet --require-hashes --only-binary :all: --no-binary dkimpy
COMPILE := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-config --quiet $(ARGS)

# Without compiled modules every start of a command would read its sources anew, a third slower.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo up test chaos bench lint format lock install clean

help:
	@echo "make demo    one quote from request to approved PDF, on sample data"
	@echo "make up      everything running until Ctrl-C"
	@echo "make test    the whole suite (ARGS='-k quote' picks tests)"
	@echo "make chaos   processes killed and networks cut while work goes on (ARGS='--seed 7 --tasks 50')"
	@echo "make bench   the speed figures"
	@echo "make lint    style, types and import contracts"
	@echo "make lock    renew requirements/*.txt (ARGS=--upgrade takes newer versions)"
	@echo "make clean   remove .venv, .miyabi (the embedded data!) and caches"

demo: $(MAIN)
	@$(BIN)/miyabi demo $(ARGS)

up: $(MAIN)
	@exec $(BIN)/miyabi up $(ARGS)

test: $(DEV)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --timeout 300 $(ARGS)

chaos: $(DEV)
	PYTHONPATH=. $(BIN)/python -P -m tests.chaos $(ARGS)

bench: $(DEV)
	$(BIN)/python -m bench $(ARGS)

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# dev.txt holds the same versions as main.txt: the second run is bound to the first.
lock: $(DEV)
	$(COMPILE) requirements/main.in --output-file requirements/main.txt
	$(COMPILE) requirements/dev.in --constraint requirements/main.txt --output-file requirements/dev.txt

install: $(MAIN)

clean:
	rm -rf .venv .miyabi .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# The stamps are renewed when a list changes; the second `make demo` installs nothing.
# Miyabi itself goes in as a link to this folder: no build back end has to be fetched for that.
$(MAIN): requirements/main.txt | .venv/bin/python
	$(INSTALL) -r requirements/main.txt
	@$(LINK)
	@touch $@

$(DEV): requirements/dev.txt | .venv/bin/python
	$(INSTALL) -r requirements/dev.txt
	@$(LINK)
	@touch $@

# -P keeps the caller's folder off the import path, where a stray email.py would be found first.
LINK = echo "$(CURDIR)" > "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/miyabi-here.pth" \
	&& printf '%s\n' '\#!/bin/sh' 'exec "$$(dirname "$$(readlink -f "$$0")")/python" -P -m miyabi "$$@"' > $(BIN)/miyabi \
	&& chmod +x $(BIN)/miyabi

.venv/bin/python:
	@command -v $(PYTHON) >/dev/null || \
		{ echo "No '$(PYTHON)' here. Install Python 3.11 or newer, or name one: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$$($(PYTHON) --version) is too old: Miyabi needs 3.11 or newer. Name one: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "$(PYTHON) has no venv module. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv
