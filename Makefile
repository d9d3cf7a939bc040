# Every target installs what it needs first; a bare Debian with Python 3.11, git and make is enough to begin.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TARGET_VENV := .venv-target
PARCELS_VENV := .venv-parcels
SEED ?= 1
STACK ?= embedded
UPGRADE ?=
JOBS ?= 2
TARGET := examples/market_predictor
PARCELS := examples/parcel_times
RECORDER := packages/flight-recorder
export PYTHONPATH := src

.PHONY: help demo serve test check bench chaos drills lock clean system system-test

help: ## This list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: $(VENV)/.installed system ## Watch one incident from fault to verified fix (SEED=n STACK=embedded|prometheus)
	$(BIN)/python -m agent.cli demo --seed $(SEED) --stack $(STACK)

serve: $(VENV)/.installed system ## Run the agent on port 8001
	$(BIN)/python -m agent.cli serve

test: $(VENV)/.installed-dev $(TARGET_VENV)/.installed $(PARCELS_VENV)/.installed system-test ## All tests: the targets', the flight recorder's and the agent's
	cd $(TARGET) && $(CURDIR)/$(TARGET_VENV)/bin/python -m pytest -q -p no:cacheprovider
	cd $(PARCELS) && $(CURDIR)/$(PARCELS_VENV)/bin/python -m pytest -q -p no:cacheprovider
	cd $(RECORDER) && PYTHONPATH=src $(CURDIR)/$(BIN)/python -m pytest -q -p no:cacheprovider
	$(BIN)/python -m pytest tests -q -n 2 -m "not chaos"

check: $(VENV)/.installed-dev ## Lint, format, types, import contracts, size gates
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/test_gates.py -q

bench: $(VENV)/.installed-dev system ## What the agent costs by itself, and how often it is right on recorded incidents
	$(BIN)/python -m drills.bench
	$(BIN)/python -m drills.bundles $(addprefix drills/bundles/,first second third)

chaos: $(VENV)/.installed-dev system ## Long kill and endurance runs
	$(BIN)/python -m pytest tests -q -m chaos

# Extras stay in the pins: pip 23 takes a newer, unhashed release for `coverage[toml]` when only `coverage` is pinned.
LOCK = $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-annotate --no-header
lock: $(VENV)/.installed-dev ## Lock the dependencies again; add UPGRADE=--upgrade for newer releases
	$(LOCK) $(UPGRADE) pyproject.toml -o requirements.txt
	$(LOCK) $(UPGRADE) pyproject.toml --group dev -o requirements-dev.txt
	cd $(TARGET) && $(LOCK:$(BIN)%=$(CURDIR)/$(BIN)%) $(UPGRADE) pyproject.toml -o requirements.txt
	cd $(PARCELS) && $(LOCK:$(BIN)%=$(CURDIR)/$(BIN)%) $(UPGRADE) pyproject.toml -o requirements.txt

# 1 is a drill that is not valid, or could not be staged: the report names it. Anything else ends here.
ONE = [ $$? = 1 ]
drills: $(VENV)/.installed system ## Check and stage every drill, the baselines too, and write docs/drills.md (about 2 hours; resumes)
	$(BIN)/python -m drills.range check drills --missing --jobs $(JOBS) || $(ONE)
	$(BIN)/python -m drills.range run drills --jobs $(JOBS) >/dev/null || $(ONE)
	for player in nothing restart rollback revert-frame; do \
	  $(BIN)/python -m drills.range run drills --player $$player --jobs $(JOBS) >/dev/null || $(ONE); done
	$(BIN)/python -m drills.range report --stack embedded --format markdown --out docs/drills.md
	$(BIN)/python -m drills.range report --stack embedded

clean: ## End what demo and drill runs left behind and remove their folders; results and caches stay
	if [ -x $(BIN)/python ]; then $(BIN)/python -m drills.demo --clean; fi
	if [ -x $(BIN)/python ] && [ -d .mpa-drills ]; then $(BIN)/python -m drills.range clean; fi

# The stamps are older than a changed lock, so that it installs again.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed" >&2; exit 2; }
	@$(PYTHON) -m venv --clear $(VENV) || { echo "run: apt-get install python3-venv" >&2; exit 2; }

INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all:
PIP = $(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null

$(VENV)/.installed: requirements.txt | $(VENV)/bin/python
	@$(PIP)
	$(INSTALL) -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt | $(VENV)/bin/python
	@$(PIP)
	$(INSTALL) -r requirements-dev.txt
	@touch $@ $(VENV)/.installed

# The example targets' own environments, for their own tests.
$(TARGET_VENV)/.installed: $(TARGET)/requirements.txt
$(PARCELS_VENV)/.installed: $(PARCELS)/requirements.txt
$(TARGET_VENV)/.installed $(PARCELS_VENV)/.installed: | $(VENV)/bin/python
	@$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r $<
	@touch $@

# Debian packages by the command they bring: installed as root, else named.
define debian
	@missing=""; for pair in $(1); do command -v "$${pair%%:*}" >/dev/null || missing+=" $${pair##*:}"; done; \
	if [ -z "$$missing" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "installing$$missing"; apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	else echo "missing:$$missing. Run 'apt-get install$$missing' as root" >&2; exit 2; fi
endef

system:
	$(call debian,bwrap:bubblewrap)

system-test: system
	$(call debian,chromium:chromium)
