PYTHON ?= python3
PORT ?= 7860

.PHONY: run test check bench docs web clean

run: .venv/.base
	.venv/bin/tabwright serve --port $(PORT)

test: .venv/.dev
	.venv/bin/python -m pytest

check: .venv/.dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	cd web && npm ci --silent --no-audit --no-fund && ./check.sh

bench: .venv/.dev
	.venv/bin/python benchmarks/scoring.py
	.venv/bin/python benchmarks/latency.py

docs: .venv/.dev
	.venv/bin/python -m pytest tests/test_docs.py

web:
	cd web && npm ci && npm run build

.venv/.base: pyproject.toml constraints.txt
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet -c constraints.txt -e .
	touch $@

.venv/.dev: pyproject.toml constraints.txt
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet -c constraints.txt -e '.[dev,cluster,corpus,train]'
	touch $@ .venv/.base

clean:
	rm -rf .venv build dist
