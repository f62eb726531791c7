# The commands of Disgram. Each works from a bare clone: it makes what it needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: help run demo account test lint bench soak

help: # this list
	@echo "Disgram: posts of public Telegram channels appear in Discord."
	@sed -n 's/^\([a-z]*\):[^#]*# */  make \1@/p' Makefile | awk -F@ '{ printf "%-13s %s\n", $$1, $$2 }'

# An old Python would fail later, and say something else.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 10) or sys.exit("disgram: Python 3.10 or newer is needed; this is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.txt | $(BIN)/python
	@echo "Installing what requirements.txt names into $(VENV); this takes about a minute, once."
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements.txt requirements-dev.txt | $(BIN)/python
	@echo "Installing what requirements-dev.txt names into $(VENV); this takes a minute or two, once."
	@$(PIP) -r requirements-dev.txt
	@touch $@ $(VENV)/.runtime

run: $(VENV)/.runtime # start the service; the first time it writes .env with a password
	@$(BIN)/python -m disgram.first_run
	@exec $(BIN)/python main.py

demo: $(VENV)/.runtime # show it without an account or a webhook, in the browser (PORT=8123: there)
	@exec $(BIN)/python -m demo $(if $(strip $(PORT)),--port $(PORT))

account: $(VENV)/.runtime # log a Telegram account in, for channels that t.me does not show (LOGOUT=1: out)
	@$(PIP) -r requirements-account.txt
	@$(BIN)/python -m disgram.first_run
	@$(BIN)/python -m disgram.telegram.account $(if $(LOGOUT),logout,login)

# One more process than cores, since many tests wait for processes and servers; one file's tests stay together.
test: $(VENV)/.dev # the tests
	$(BIN)/python -m pytest -n $$($(BIN)/python -c 'import os; print((os.cpu_count() or 1) + 1)') --dist loadfile

lint: $(VENV)/.dev # ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

soak: $(VENV)/.dev # ten minutes of faults and kills (SECONDS=60: less)
	$(BIN)/python -m tests.soak $(if $(SECONDS),--seconds $(SECONDS))

bench: $(VENV)/.dev # the benchmarks (FULL=1: half an hour; REFERENCE=/path: the reference beside it)
	$(BIN)/python -m bench $(if $(FULL),--full) $(if $(REFERENCE),--reference "$(REFERENCE)")
