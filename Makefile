# Each target sets up by itself what it needs: a virtual environment, pinned packages, Qt's system libraries.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

export QT_QPA_PLATFORM ?= offscreen

.PHONY: demo test check bench constraints

demo: $(READY)
	$(BIN)/erbia demo --out demo

# What fails beside the others is run once more, alone: wire tests hold real time limits, and compiling kernels on a new
# machine can stall a neighbour for seconds. A real failure fails again.
test: $(READY)
	$(BIN)/python -m pytest -n auto || $(BIN)/python -m pytest --last-failed --last-failed-no-failures none

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python tools/typecheck.py
	$(BIN)/lint-imports --no-cache

bench: $(READY)
	$(BIN)/python tools/bench.py

# Pins what is installed now as the versions CI installs with.
constraints: $(READY)
	$(BIN)/python tools/constraints.py > constraints.txt

$(READY): pyproject.toml constraints.txt tools/setup.sh
	PYTHON=$(PYTHON) sh tools/setup.sh $(VENV)
	touch $@
