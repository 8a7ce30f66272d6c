# Every chore. Needs only make and Python 3.11 or newer; each target sets up .venv by itself, once.

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
  $$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$p; break; }; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check
export PIP_NO_INPUT := 1

.PHONY: help demo test check soak bench docs requirements clean
.DEFAULT_GOAL := help

help: ## say what each target does
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | while IFS='|' read -r name what; do printf '%-20s %s\n' "$$name" "$$what"; done

demo: .venv/run.stamp ## run the starter fund offline on the simulated exchange; writes out/demo/report.html
	@$(BIN)/podshop demo

test: check ## run the checks, then every test: on two cores, and what needs the machine for itself after the others
	@$(BIN)/python -m pytest -n 2 --dist worksteal -q -m 'not soak and not alone'
	@$(BIN)/python -m pytest -q -m 'alone and not soak'

check: .venv/test.stamp ## ruff, its format, mypy strict, the import contracts
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

soak: .venv/test.stamp ## the long tests, what has passed at this commit left out; PART=words picks some; counts in out/soak
	@PODSHOP_SOAK=$${PODSHOP_SOAK:-out/soak} $(BIN)/python -m pytest -n 2 --dist worksteal -q -m soak $(if $(PART),-k '$(PART)')
	@$(if $(PART),,HYPOTHESIS_PROFILE=soak $(BIN)/python -m pytest -n 2 --dist worksteal -q)

bench: .venv/run.stamp ## measure the loop, the record, the signals and the whole fund
	@$(BIN)/podshop bench

docs: .venv/run.stamp ## write again docs/agents, from docstrings, and the rates of docs/cost-gate.md
	@$(BIN)/python -m podshop.research.reference docs/agents
	@$(BIN)/python -m podshop.research.cost_gate docs/cost-gate.md

requirements: .venv/test.stamp ## pin again what pyproject.toml asks for (for maintainers; needs the package index)
	@$(PIP) pip-tools
	@for set in build test run postgres; do sh requirements/compile $(BIN)/python $$set || exit 1; done

clean: ## remove .venv and every cache
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build out
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is newer than what it was made from, so the second run starts at once.
.venv/bin/python:
	@[ -n "$(PYTHON)" ] || { echo 'podshop needs Python 3.11 or newer with venv, and found none on the PATH' >&2; exit 1; }
	@echo "making .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv

.venv/run.stamp: requirements/build.txt requirements/run.txt pyproject.toml | .venv/bin/python
	@echo "installing $$(grep -c '==' requirements/run.txt) packages into .venv: once, about a minute"
	@$(PIP) --require-hashes -r requirements/build.txt -r requirements/run.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/test.stamp: requirements/test.txt requirements/postgres.txt .venv/run.stamp
	@echo "installing $$(grep -c '==' requirements/test.txt) packages for the tests into .venv: once"
	@$(PIP) --require-hashes -r requirements/test.txt
	@$(PIP) --require-hashes -r requirements/postgres.txt 2>/dev/null || echo 'no PostgreSQL wheel fits this Python: its tests look for a server on the PATH'
	@touch $@
