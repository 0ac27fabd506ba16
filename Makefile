# Two commands are all that a newcomer types: `make book` and `make test`.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One backend and Keras's own settings, whatever the environment or ~/.keras/keras.json says.
export KERAS_BACKEND := tensorflow
export KERAS_HOME := $(CURDIR)/_build/keras
export TF_CPP_MIN_LOG_LEVEL := 3
export MPLBACKEND := Agg
export JUPYTER_PLATFORM_DIRS := 1

INSTALL = -m pip install --quiet --disable-pip-version-check
NO_INDEX = echo "pip could not install what $(1) asks for (see above). It needs a package index once: connect to the network, or point PIP_INDEX_URL or PIP_FIND_LINKS to where the packages lie, and run make again."
# Each step keeps how long its tests took, and .ci/run shows the slowest.
TESTS = $(BIN)/python -m pytest -q --junitxml=_build/times/$@.xml
# Two at a time, one thread each: two that both want every core take twice as long as one after the other.
NOTEBOOKS = chapters --nbval --nbval-current-env --nbval-sanitize-with tests/nbval.cfg --nbval-cell-timeout=120 -n 2 --dist loadscope
ONE_THREAD = OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1

.PHONY: help ready backends-ready book html test unit notebooks browser test-backends test-backends-all test-oldest mutants breaks run serve lint bench clean

help:  ## show what there is to do
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

ready: $(VENV)/ready
backends-ready: $(VENV)/backends-ready

$(VENV)/ready: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "cnnkit needs Python 3.11 or newer; run: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python $(INSTALL) -r requirements.txt && $(BIN)/python $(INSTALL) --no-deps --no-build-isolation --editable . || { $(call NO_INDEX,requirements.txt); exit 1; }
	touch $@

$(VENV)/backends-ready: $(VENV)/ready requirements-backends.txt
	@$(BIN)/python $(INSTALL) -r requirements-backends.txt || { $(call NO_INDEX,requirements-backends.txt); exit 1; }
	touch $@

book: html  ## build the book and say where it is
	@echo "The book: file://$(CURDIR)/_build/html/index.html"

html: _build/html-ready

PAGES = $(shell find *.md *.yml book chapters cnnkit data -type f -not -path '*/__pycache__/*' -not -path '*/.ipynb_checkpoints/*' -not -path 'data/cache/*')
_build/html-ready: $(VENV)/ready $(PAGES)
	rm -rf _build/html
	$(BIN)/jupyter-book build . --all --quiet -n -W --keep-going
	touch $@

test: $(VENV)/ready unit notebooks html browser  ## everything: unit tests, every notebook, the strict build, its pages

# What is held to a time is measured alone.
TIMED := tests/benchmarks/test_training.py tests/benchmarks/test_trials.py
unit: $(VENV)/ready
	$(TESTS) tests --ignore=tests/browser $(TIMED:%=--ignore=%) -n 2 --dist worksteal
	$(ONE_THREAD) $(TESTS:.xml=-timed.xml) $(TIMED)

notebooks: $(VENV)/ready
	$(ONE_THREAD) $(TESTS) $(NOTEBOOKS)

# The pages' weight and paint are measured alone.
browser: html
	$(TESTS) tests/browser --ignore=tests/browser/test_weight.py -n 2 --dist worksteal
	$(TESTS:.xml=-weight.xml) tests/browser/test_weight.py

ON_EACH = for backend in jax torch; do echo "== $$backend"; KERAS_BACKEND=$$backend $(TESTS:.xml=-$$backend.xml) -n 2 --dist worksteal

test-backends: $(VENV)/backends-ready  ## every layer, and a small model of each family, again on JAX and on PyTorch
	$(ON_EACH) tests/layers tests/models tests/training tests/test_gradients.py tests/test_onednn.py -m "not slow and not member"; done

test-backends-all: $(VENV)/backends-ready  ## every unit test and every model on JAX and on PyTorch
	$(ON_EACH) tests --ignore=tests/browser --ignore=tests/course -m "not slow"; done

# The lowest versions that pyproject.toml promises, near those of Colab, on its Python where there is one. cnnkit comes as a
# wheel, as a student's first cell brings it, and must find all that it needs; the tests run in a copy without its source.
OLDEST := .venv-oldest
PYTHON_OLDEST ?= $(shell for python in python3.12 ~/.pyenv/versions/3.12*/bin/python $(PYTHON); do $$python -c "" 2>/dev/null && echo $$python && break; done)
OF_THE_CHECKOUT := tests/browser tests/benchmarks tests/test_layering.py tests/test_project.py tests/test_wheel.py tests/test_clone.py tests/test_docstrings.py tests/course/test_extension.py tests/course/test_palette.py

# What old libraries warn of is not ours to mend.
OLD_PYTEST := $(CURDIR)/$(OLDEST)/bin/python -m pytest -q -o filterwarnings=default

$(OLDEST)/ready: requirements-oldest.txt
	test -x $(OLDEST)/bin/python || $(PYTHON_OLDEST) -m venv $(OLDEST)
	@$(OLDEST)/bin/python $(INSTALL) -r requirements-oldest.txt || { $(call NO_INDEX,requirements-oldest.txt); exit 1; }
	touch $@

test-oldest: $(OLDEST)/ready  ## unit tests and notebooks with the lowest versions, on the installed package
	rm -rf _build/oldest && mkdir -p _build/oldest/checkout
	git ls-files -z --cached --others --exclude-standard | grep -zv '^cnnkit/' | xargs -0 cp --parents -t _build/oldest/checkout
	$(OLDEST)/bin/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir _build/oldest .
	$(OLDEST)/bin/python -m pip freeze --exclude cnnkit > _build/oldest/before.txt
	$(OLDEST)/bin/python $(INSTALL) --force-reinstall --no-deps _build/oldest/cnnkit-*.whl
	$(OLDEST)/bin/python $(INSTALL) "cnnkit[course] @ file://$$(echo $(CURDIR)/_build/oldest/cnnkit-*.whl)"
	$(OLDEST)/bin/python -m pip freeze --exclude cnnkit | diff _build/oldest/before.txt - # cnnkit finds all that it needs
	cd _build/oldest/checkout && $(OLD_PYTEST) tests $(OF_THE_CHECKOUT:%=--ignore=%) -n 2 --dist worksteal
	cd _build/oldest/checkout && $(ONE_THREAD) $(OLD_PYTEST) $(NOTEBOOKS)

mutants: $(VENV)/ready  ## whether the tests see planted slips: make mutants FILES="cnnkit/layers cnnkit/models"
	$(BIN)/python tests/mutants.py $(FILES)

breaks: $(VENV)/ready  ## take each claim's cause away, and record that it fails: make breaks CHAPTERS="layers/pooling"
	$(ONE_THREAD) $(BIN)/python -m cnnkit.course.breaks $(CHAPTERS)

run: $(VENV)/ready  ## run chapters in place: make run CHAPTERS="layers/convolution"
	$(BIN)/python book/execute.py $(CHAPTERS)

serve: book  ## read the book at http://localhost:8000
	$(BIN)/python -m http.server 8000 --bind 127.0.0.1 --directory _build/html

lint: $(VENV)/ready  ## ruff
	$(BIN)/ruff check . && $(BIN)/ruff format --check .

bench: $(VENV)/ready  ## measure what the budgets bound
	$(BIN)/python -m tests.benchmarks.bench

clean:  ## forget the build and the environments
	rm -rf _build $(VENV) $(OLDEST) .pytest_cache .ruff_cache
