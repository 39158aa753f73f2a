# Everything runs in the checkout's virtual environment; each target installs what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Stamp files for the product's and the tests' dependencies: pip runs only when the list of dependencies changes.
READY := $(VENV)/ready
TESTED := $(VENV)/ready-for-tests
PIP := $(BIN)/pip install -qq --disable-pip-version-check
# A process more than two cores: a test that waits leaves its core to others.
SPREAD := -n 3 --dist worksteal
SYSTEMS := linux win32 darwin
# The tests start hundreds of programs, each of which would compile the package again.
unexport PYTHONDONTWRITEBYTECODE

# A Python that is named is the one that runs: an environment of another one is not taken for it.
ifeq ($(origin PYTHON),command line)
ifneq ($(wildcard $(BIN)/python),)
NAMED := $(or $(shell $(PYTHON) -V 2>/dev/null),no Python)
HERE := $(shell $(BIN)/python -V)
ifneq ($(NAMED),$(HERE))
$(error $(VENV) has $(HERE), and $(PYTHON) is $(NAMED); remove $(VENV) first, or use another checkout)
endif
endif
endif

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 12

$(READY): host/pyproject.toml
	@echo "setting up $(VENV) (once)" >&2
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed" >&2; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) || { echo "python3 -m venv failed: on Debian, apt-get install python3-venv" >&2; exit 1; }
	@$(PIP) --editable 'host[sim]'
	@touch $@

$(TESTED): $(READY)
	@echo "installing the test dependencies (once)" >&2
	@$(PIP) --editable 'host[sim,emulator,dev,docs]'
	@touch $@

.PHONY: demo
demo: $(READY) ## ramp a simulated chamber to 5 MPa, hold, ramp to 2 MPa, hold; writes runs/demo
	@$(BIN)/ipch demo --out runs/demo

.PHONY: example
example: $(READY) ## simulate five cycles of a cell and the cycler's file, merge and report; writes runs/example
	@$(BIN)/ipch example --out runs/example

.PHONY: test
test: lint ## run the tests that need no hardware (the long ones: test-long; on the emulated board: test-pico)
	@$(BIN)/pytest -m "not wheel and not long and not pico" $(SPREAD) --timeout 300

.PHONY: bench
bench: $(TESTED) ## run the benchmarks; writes runs/bench (ONLY=speed for one; about an hour for all)
	@PYTHONPATH=host $(BIN)/python -m bench $(or $(ONLY),$(RIG))

.PHONY: faults
faults: $(TESTED) ## run the fault matrix and the rest of the safety proof; writes runs/bench/faults.json (ONLY=part for one; takes hours)
	@PYTHONPATH=host $(BIN)/python -m bench.faults $(ONLY)

.PHONY: soak
soak: $(TESTED) ## send ten million fuzzed command lines (SOAK_FROM=seed resumes an earlier run)
	@PYTHONPATH=host $(BIN)/python -m bench.faults soak

.PHONY: lint
lint: $(TESTED) ## check style, types (as on Linux, Windows and macOS) and the order of the rooms
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --quiet --check .
	@$(MAKE) --no-print-directory --jobs 2 $(SYSTEMS:%=types-%)
	@cd host && ../$(BIN)/lint-imports --no-cache

.PHONY: $(SYSTEMS:%=types-%)
$(SYSTEMS:%=types-%): types-%: $(TESTED)
	@$(BIN)/mypy --config-file host/pyproject.toml --platform $* --cache-dir .mypy_cache/$*

.PHONY: fmt
fmt: $(TESTED) ## format the code
	@$(BIN)/ruff check --fix --quiet . && $(BIN)/ruff format --quiet .

.PHONY: pages
pages: $(TESTED) ## write firmware/COMMANDS.md from the firmware; draw the README's pictures from runs/
	@$(BIN)/python host/pages/commands.py
	@test ! -d runs/demo -a ! -d runs/example -a ! -d runs/bench || $(BIN)/python host/pages/pictures.py
	@$(BIN)/python host/pages/screens.py

.PHONY: docs
docs: $(TESTED) ## build the documentation as a site; writes docs/_build/html
	@$(BIN)/sphinx-build --fail-on-warning --quiet docs docs/_build/html
	@echo "docs/_build/html/index.html"

.PHONY: wheel
wheel: $(TESTED) ## build the package and try it in a fresh environment; writes host/dist
	@rm -rf host/dist
	@$(BIN)/python -m build --quiet host
	@$(BIN)/pytest -q -m wheel tests/host/test_wheel.py

.PHONY: release
release: $(TESTED) ## make a release: VERSION=0.2.0 sets the version, checks, builds, commits, tags; pushes nothing
	@$(BIN)/python host/release.py $(or $(VERSION),$(error name the version: make release VERSION=0.2.0))

.PHONY: hardware
hardware: $(TESTED) ## regenerate the drawings, tables and netlist in hardware/ (FAULTS=file takes in the times from make faults)
	@$(BIN)/python -m hardware.design $(if $(FAULTS),--faults $(FAULTS))

.PHONY: test-pico
test-pico: $(TESTED) ## run the tests of the emulated RP2040 (needs an RPI_PICO image; takes up to half an hour)
	@$(BIN)/pytest --rig pico -m pico -n 2 --dist loadscope

.PHONY: test-long
test-long: $(TESTED) ## run the tests that make test leaves out: more cases of its kinds, hours of simulated time, other programs
	@$(BIN)/pytest -m long $(SPREAD)

.PHONY: flash
flash: $(READY) ## copy the firmware to the board (PORT=name if there are several, MHZ=125 for the slower clock)
	@$(BIN)/ipch flash $(if $(PORT),--port $(PORT)) $(if $(MHZ),--mhz $(MHZ))

.PHONY: hil
hil: $(READY) ## test the regulator on PORT with the bench rig on RIG (see hardware/rig)
	@test -n "$(RIG)" -a -n "$(PORT)" || { echo "name both ports: make hil PORT=... RIG=..." >&2; exit 2; }
	@$(BIN)/ipch hil --rig $(RIG) --port $(PORT)
