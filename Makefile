# make book [PROFILE=quick]   environment, chapters, pages; prints where to open them     PROFILE: smoke, quick or full
# make test                   the tests (make check-book PROFILE=smoke checks a built book)
# make serve | notebooks      JupyterLab with the chapters as notebooks | .ipynb copies of the chapters
# make lint | bench | env     style checks | benchmarks against other libraries | only the environment
PROFILE ?= quick
CORES ?= 0
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

.PHONY: book test check-book bench lint serve notebooks env clean help

book: $(READY)
	@$(BIN)/fer build --profile $(PROFILE) --cores $(CORES)

test: $(READY)
	@$(ONE_THREAD) $(BIN)/python -m pytest -n 2 -m "not book and not browser"

check-book: $(READY)
	@$(ONE_THREAD) FER_BOOK_HTML=$(PROFILE) FER_REQUIRE_BOOK=1 $(BIN)/python -m pytest tests/book -m "book or browser"

bench: $(READY)
	@$(BIN)/python -m bench

lint: $(READY)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

# The folder holds one setting: a click on a chapter opens it as a notebook.
serve: $(READY)
	@JUPYTER_CONFIG_PATH="$(CURDIR)/workflow/serve" $(BIN)/jupyter lab --notebook-dir=.

notebooks: $(READY)
	@$(BIN)/jupytext --quiet --to ipynb notebooks/[0-9][0-9]_*.md
	@echo "written beside the chapters: notebooks/*.ipynb (git ignores them)"

env: $(READY)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if v == (3, 11) else "The book needs Python 3.11; got %d.%d. Give another one: make PYTHON=python3.11" % v)'
	@echo "making the environment in .venv (a few minutes the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.5"
	@$(BIN)/python -m uv pip sync --quiet --python $(BIN)/python requirements.lock
	@$(BIN)/python -m uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

clean:
	@rm -rf _build .snakemake
	@echo "removed _build; make book makes it again"

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile
