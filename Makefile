# Two commands are all that a newcomer types: `make book` and `make test`.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export TF_CPP_MIN_LOG_LEVEL := 3
export MPLBACKEND := Agg
export JUPYTER_PLATFORM_DIRS := 1

.PHONY: help book html test unit notebooks strict browser test-backends serve lint bench run clean

help:  ## show what there is to do
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(VENV)/ready: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "cnnkit needs Python 3.11 or newer; run: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

$(VENV)/backends-ready: $(VENV)/ready requirements-backends.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-backends.txt
	touch $@

book: html  ## build the book and say where it is
	@echo "The book: file://$(CURDIR)/_build/html/index.html"

html: $(VENV)/ready
	rm -rf _build/html
	$(BIN)/jupyter-book build . --all --quiet -n -W --keep-going

test: $(VENV)/ready unit notebooks html browser  ## everything: unit tests, every notebook, the strict build, its pages

unit: $(VENV)/ready
	$(BIN)/python -m pytest tests --ignore=tests/browser -n 2 --dist loadscope -q

notebooks: $(VENV)/ready  # two at a time, one thread each: two that both want every core take twice as long as one after the other
	OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 $(BIN)/python -m pytest chapters --nbval --nbval-current-env --nbval-cell-timeout=120 -n 2 --dist loadscope -q --durations=5

browser: html
	$(BIN)/python -m pytest tests/browser -q

test-backends: $(VENV)/backends-ready  ## the unit tests again on JAX and on PyTorch
	for backend in jax torch; do echo "== $$backend"; KERAS_BACKEND=$$backend $(BIN)/python -m pytest tests --ignore=tests/browser --ignore=tests/course -m "not slow" -n 2 --dist loadscope -q; done

run: $(VENV)/ready  ## run chapters in place: make run CHAPTERS="layers/convolution"
	$(BIN)/python book/execute.py $(CHAPTERS)

serve: book  ## read the book at http://localhost:8000
	$(BIN)/python -m http.server 8000 --bind 127.0.0.1 --directory _build/html

lint: $(VENV)/ready  ## ruff
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

bench: $(VENV)/ready  ## measure what the budgets bound
	$(BIN)/python tests/benchmarks/bench.py

clean:  ## forget the build and the environment
	rm -rf _build $(VENV) .pytest_cache .ruff_cache
