# Everything a person does with a checkout. `make help` lists it; nothing else needs to be known to start.
# make setup builds .venv and is a prerequisite of the rest: it does nothing while constraints.txt and pyproject.toml stand still.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup studio browser test test-ui studio-tour test-all lint bench bench-learn lineage-check bench-lineage prove infer-check synth-check build clean export-demo

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
# A Python to build the environment with; empty: the first of python3.11 ... python3 that is new enough.
PYTHON ?=
# One more index for torch, such as one of CPU-only builds (on Linux the usual build brings 2 GB of CUDA along).
TORCH_INDEX ?=
# The folder and the port of `make studio`.
SAMPLE ?= sample
PORT ?= 8501
# More arguments for pytest or the bench: make test ARGS="-k spine -x".
ARGS ?=
# A folder of the published OpenLineage schemas (`spec` in their repository), for make lineage-check.
SPEC ?=
# Two files of tests at a time: most tests wait for processes that they start. PARALLEL= runs one after another.
PARALLEL ?= -n 2 --dist loadfile

# Without compiled bytecode every command spends twice as long on its imports.
unexport PYTHONDONTWRITEBYTECODE
unexport PYTHONPATH

help: ## list these targets
	@echo "make TARGET, where TARGET is one of:"
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## make .venv with everything pinned in constraints.txt (needs a network once)

studio: $(READY) ## create the sample project in ./sample, run it, open the studio on 127.0.0.1
	@if [ ! -e "$(SAMPLE)/packyak.toml" ]; then \
	  echo "Creating the sample project in $(SAMPLE)/"; \
	  $(BIN)/python -m packyak.sample_data "$(SAMPLE)" >/dev/null; \
	fi
	@echo "Bringing its records up to date"
	@cd "$(SAMPLE)" && "$(CURDIR)/$(BIN)/packyak" run city topics_per_day
	@echo "Its search index follows in the background (a minute or two the first time)"
	@cd "$(SAMPLE)" && ("$(CURDIR)/$(BIN)/packyak" run >run.log 2>&1 &)
	@echo "Opening the studio on http://127.0.0.1:$(PORT) (Ctrl-C ends it)"
	@PACKYAK_PROJECT="$(abspath $(SAMPLE))" exec $(BIN)/streamlit run studio --server.address 127.0.0.1 \
	  --server.port $(PORT) --server.headless "$$(. .ci/screen.sh)" --server.showEmailPrompt false \
	  --browser.gatherUsageStats false

browser: ## see to it that the browser tests find a browser (Debian's chromium)
	@.ci/browser.sh

test: $(READY) browser ## run the tests, all but the slow ones
	@$(BIN)/python -m pytest -m "not slow" $(PARALLEL) $(ARGS)

test-ui: $(READY) browser ## run every test of the studio in a browser, slow ones too; pictures in tests/ui/shots
	@$(BIN)/python -m pytest tests/studio tests/ui -s $(ARGS)

studio-tour: $(READY) browser ## make the pictures of README and docs anew from the sample project
	@$(BIN)/python tests/ui/tour.py docs/pictures

test-all: $(READY) browser ## run every test
	@$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

lint: $(READY) ## check style (ruff) and types (mypy --strict)
	@$(BIN)/ruff check .
	@.ci/types.sh $(BIN)/mypy

bench: $(READY) ## measure the spine against a plain pandas script, 10k and 100k records
	@$(BIN)/python bench/bench_spine.py $(ARGS)

bench-learn: $(READY) ## what the learners reach, against their targets (long; reads ../shared/data where it is there)
	@$(BIN)/python bench/bench_learn.py $(ARGS)

lineage-check: $(READY) ## every kind of lineage event, checked with all its facets; events of other tools taken in
	@$(BIN)/python tests/lineage/lineage_check.py $(SPEC)

bench-lineage: $(READY) ## what a trace costs, also beside a long event log
	@$(BIN)/python bench/bench_lineage.py $(ARGS)

synth-check: $(READY) ## stacks of three projects under all profiles: rule packs, cfn-lint, negative controls (minutes)
	@$(BIN)/python tests/deploy/synth_check.py $(ARGS)

infer-check: $(READY) ## read the corpus of functions: decided exactly, refused, silent misses (ARGS=-v: each of them)
	@$(BIN)/python tests/deploy/infer_corpus.py $(ARGS)

prove: $(READY) ## prove grants: the sample in full, 25 random projects by sample (ARGS="--share 1 --resume done.json": all)
	@$(BIN)/python tests/deploy/prove_check.py $(ARGS)

export-demo: $(READY) ## one click to an account on this machine, end to end; then the same tables, versions and lineage
	@$(BIN)/python tests/deploy/export_demo.py $(ARGS)

build: $(READY) ## build wheel and source archive into dist/
	@rm -rf build dist
	@$(BIN)/python -m build --no-isolation

clean: ## remove .venv, caches, builds and the sample project
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis "$(SAMPLE)"
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is written last: an installation that was cut off starts again.
$(READY): constraints.txt pyproject.toml
	@python="$$(.ci/find_python.sh $(PYTHON))"; \
	if [ ! -x $(BIN)/python ]; then echo "Making $(VENV) with $$python"; "$$python" -m venv $(VENV); fi
	@echo "Installing torch (the largest part: minutes, once)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt \
	  $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) torch setuptools
	@echo "Installing the other pinned packages and Packyak itself, editable"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt \
	  --no-build-isolation -e ".[all,dev]"
	@echo "Compiling bytecode, so that commands start fast"
	@$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib packyak engine studio deploy sample_data || true
	@touch $(READY)
	@echo "Ready: everything is in $(VENV); the other targets work without a network from now on"
