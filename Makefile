PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.installed-runtime
DEV := $(VENV)/.installed-dev
COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --quiet
PYTEST := $(BIN)/python -m pytest -n 2

.PHONY: help install run test test-fast check format lock generate clean

help: ## Show what each target does
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; set PYTHON=/path/to/it")'
	$(PYTHON) -m venv $(VENV)

$(RUNTIME): requirements.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

$(DEV): requirements-dev.lock $(RUNTIME)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	touch $@

install: $(RUNTIME) ## Create .venv and install the locked dependencies

run: $(RUNTIME) ## Start the server and print its address
	exec $(BIN)/catalogue serve

test: $(DEV) ## Run every test
	$(PYTEST) --dist loadfile --no-loadscope-reorder

test-fast: $(DEV) ## Run the tests that start no process
	$(PYTEST) --dist worksteal --hypothesis-profile fast -m 'not process'

check: $(DEV) ## Lint, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile

format: $(DEV) ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

generate: $(DEV) ## Write the generated files anew: SDL, golden files, the README's provider table
	$(BIN)/python -m tests.generate

lock: ## Resolve the dependencies anew (needs uv)
	$(COMPILE) --extra build pyproject.toml -o requirements.lock
	$(COMPILE) --extra build --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean: ## Remove what the other targets made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
