# The commands of Disgram. Each works from a bare clone: it makes what it needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run demo account test lint bench soak

$(VENV)/.runtime: requirements.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements.txt requirements-dev.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/.runtime

run: $(VENV)/.runtime
	@$(BIN)/python -m disgram.first_run
	@exec $(BIN)/python main.py

# make demo PORT=8123 shows the page there.
demo: $(VENV)/.runtime
	@exec $(BIN)/python -m demo $(if $(strip $(PORT)),--port $(PORT))

# Logs a Telegram account in, for channels that t.me does not show. make account LOGOUT=1 logs it out.
account: $(VENV)/.runtime
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-account.txt
	@$(BIN)/python -m disgram.first_run
	@$(BIN)/python -m disgram.telegram.account $(if $(LOGOUT),logout,login)

# On all cores: most tests wait for processes and servers, and one file's tests stay together.
test: $(VENV)/.dev
	$(BIN)/python -m pytest -n auto --dist loadfile

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Ten minutes of faults and kills; SECONDS=60 for less.
soak: $(VENV)/.dev
	$(BIN)/python -m tests.soak $(if $(SECONDS),--seconds $(SECONDS))

# make bench FULL=1 measures for half an hour; REFERENCE=/path/to/checkout runs the reference beside it.
bench: $(VENV)/.dev
	$(BIN)/python -m bench $(if $(FULL),--full) $(if $(REFERENCE),--reference "$(REFERENCE)")
