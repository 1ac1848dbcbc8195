# `make run` sets everything up and rebuilds the built-in sample's model; `make test` sets everything up and runs the checks.
PYTHON ?= python3.11
BIN := .venv/bin
READY := .venv/.ready
STAGE_PATH := PATH="$(CURDIR)/$(BIN):$$PATH"

.PHONY: run test setup lock clean

run: $(READY)
	$(BIN)/candlelock check
	$(STAGE_PATH) dvc repro
	$(BIN)/candlelock card show

test: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(STAGE_PATH) python -m pytest -n 2

setup: $(READY)

# torch comes first and by itself: a CPU build found on the machine or in a given index is then kept.
$(READY): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) not found: install Python 3.11, or name it: make PYTHON=..." >&2; exit 3; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^torch==' requirements.lock)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# Resolve the newest versions that pyproject.toml allows and pin them all.
lock:
	rm -rf .venv-lock
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet torch==2.13.0 "setuptools>=77"
	.venv-lock/bin/python -m pip install --quiet ".[dev]"
	{ echo "# Written by 'make lock'."; .venv-lock/bin/python -m pip freeze --all --exclude candlelock --exclude pip | sed 's/+cpu$$//'; } > requirements.lock
	rm -rf .venv-lock build src/candlelock.egg-info

clean:
	rm -rf .venv .venv-lock build
