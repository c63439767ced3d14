# The front door. `make` prepares everything; then demo, test, check, bench.
SHELL := bash
PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 2
export PYTHON

.PHONY: all venv assets demo test check bench pictures lock clean help

all: venv assets  ## Prepare the virtual environment and the pages' assets

venv:
	@bash .ci/venv

assets: venv
	@$(BIN)/python -m chamberlain.web.assets

demo: all  ## A city's office from nothing: SERVE=0 does not serve, FRESH=1 starts over
	@$(BIN)/chamberlain demo $(if $(filter 0,$(SERVE)),--no-serve) $(if $(filter 1,$(FRESH)),--fresh)

test: all  ## All tests, in WORKERS processes (2); TESTS=tests/ledger for a part
	@bash .ci/chromium
	@$(BIN)/python checks/run_tests.py $(WORKERS) $(TESTS)

check: all  ## Style, types, layers, migrations, words, lock files, known weaknesses
	@$(BIN)/python checks/run_all.py

bench: all  ## Figures against the limits of this machine: NAMES="rating pdf", QUICK=1 for a short run
	@$(BIN)/python -m bench $(NAMES) $(if $(filter 1,$(QUICK)),--quick)

pictures: all  ## The pictures of README and docs/office, taken from the demonstration
	@bash .ci/chromium
	@$(BIN)/python -m checks.pictures

lock: venv  ## Write requirements.lock anew from pyproject.toml
	@bash .ci/lock

clean:  ## Remove everything that was built, except the data in var/
	@rm -rf .venv node_modules build chamberlain/web/static/vendor .mypy_cache .ruff_cache \
		.pytest_cache .hypothesis .coverage *.egg-info

help:
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 14
