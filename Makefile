# The developer's doors. `make env` once; the rest call it by themselves.
#   make check   format, lint, types, layers
#   make test    check, and every test (as .ci/run does)
#   make demo    a local cluster that does real work

PYTHON   ?= python3
PACKAGES := libprocess mesos master agent frameworks tools examples
# What the tests in tests/system/ need beside Python.
DEBIAN_PACKAGES := chromium iproute2 systemd strace user-mode-linux zookeeper

VENV := .venv
BIN  := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help env check test demo debian-packages clean

help:
	@sed -n 's/^#   //p' Makefile

env: $(VENV)/.made

# Made again when what it holds changes; never removed, since programs may be running from it.
# editable_mode=compat is one line of sys.path: setuptools' default is an import hook that adds 10 ms to every start of Python.
$(VENV)/.made: setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "expected Python 3.11 or newer, found $$($(PYTHON) --version 2>&1); name one: make env PYTHON=python3.11" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || .ci/debian-packages python3-venv
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --config-settings editable_mode=compat --editable '.[test]'
	touch $@

check: env
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(PACKAGES)
	$(BIN)/pytest -q tests/test_layers.py

test: debian-packages check
	$(BIN)/pytest

demo: env
	$(BIN)/python -m tools.demo

debian-packages:
	@.ci/debian-packages $(DEBIAN_PACKAGES)

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
