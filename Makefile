# Everything a contributor needs; `make help` lists it.

# The interpreter for .venv: python3.11 where it runs, else python3; or `make PYTHON=...`.
PYTHON ?= $(shell python3.11 -c 'import sys; print(sys.executable)' 2>/dev/null || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
TOOLS := .tools
READY := $(VENV)/.ready-for-tests

.PHONY: help setup demo docs docs-outputs tools test test-fast check schema golden lock audit clean need-python need-npm
.DEFAULT_GOAL := help

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## make .venv with specminer, its solver and the test programs

demo: $(BIN)/specminer ## mine the shipped example into out/demo
	@$(BIN)/specminer demo --out out/demo

docs: setup ## build the documentation site into out/docs
	@$(BIN)/python -m sphinx -b html -W --keep-going -n -q docs out/docs
	@echo "out/docs/index.html"

docs-outputs: setup tools ## run the commands in docs/ and write what they print into its pages
	SPECMINER_UPDATE_DOCS=1 $(BIN)/python -m pytest -q tests/docs/test_transcripts.py -k 'shows_what'

tools: $(if $(SPECMINER_TOOLS),,$(TOOLS)/.ready) ## install node and compiler for the tests into .tools

test: setup tools check ## check, then run all tests on a real node
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test-fast: setup ## run the tests that need no node, browser, PostgreSQL or real data, and are quick
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m 'not node and not browser and not postgres and not real and not slow'

check: setup ## lint, types, names and declared dependencies only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m tools.check_dependencies
	$(BIN)/python -m tools.automaton_schema --check
	$(BIN)/typos --format brief
	$(BIN)/python -m tools.check_prose
	$(BIN)/python -m tools.check_names

schema: setup ## write docs/automaton.schema.json from the types of the specification
	$(BIN)/python -m tools.automaton_schema

golden: setup ## do the datasets' outputs still agree with the digests in tools/golden.json?
	$(BIN)/python -m tools.golden check

lock: setup ## write the versions of all dependencies, with their hashes, into tools/requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --all-extras --upgrade --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url pyproject.toml --output-file tools/requirements.lock
	@echo "tools/requirements.lock"

audit: setup ## ask the index for known vulnerabilities of the locked dependencies
	@$(BIN)/uv tool run --quiet pip-audit --strict --requirement tools/requirements.lock --no-deps --disable-pip

clean: ## remove all that these targets made
	rm -rf $(VENV) $(TOOLS) dist out *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml | need-python
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[benchmarks,dask,docs,postgres,reference,smt,test]'
	@touch $@

# The base install is all that the demo needs; an environment that exists is taken as it is.
$(BIN)/specminer: | need-python
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .

$(TOOLS)/.ready: tests/support/package.json | need-npm
	mkdir -p $(TOOLS)
	cp tests/support/package.json $(TOOLS)/package.json
	npm install --prefix $(TOOLS) --ignore-scripts --legacy-peer-deps --no-package-lock --no-audit --no-fund
	@touch $@

need-python:
	@command -v "$(PYTHON)" >/dev/null || \
		{ echo "specminer needs Python 3.11 or newer, but found none; name one: make PYTHON=..." >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "specminer needs Python 3.11 or newer, but $(PYTHON) is older; name another: make PYTHON=..." >&2; exit 1; }

need-npm:
	@command -v npm >/dev/null && command -v node >/dev/null || \
		{ echo "the tests need Node.js with npm, to install anvil and solc into $(TOOLS)" >&2; exit 1; }
