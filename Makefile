# Two commands matter: make demo and make test. Both make .venv from the lock file first.
SHELL := /bin/bash
PYTHON ?= python3
PIP_ARGS ?=
OUT ?= out/demo
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test test-all test-arm64 airflow mlflow lock clean

help: ## what can be made
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.venv/.demo: pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: Python 3.11 or newer is needed, this is $$($(PYTHON) --version)"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "make: the venv module is missing; on Debian or Ubuntu: sudo apt-get install python3-venv"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet $(PIP_ARGS) -c requirements.lock 'setuptools>=77' wheel
	$(BIN)/pip install --quiet $(PIP_ARGS) -c requirements.lock --no-build-isolation -e '.[demo]'
	$(BIN)/oxturn warm-up
	@touch $@

.venv/.test: .venv/.demo
	$(BIN)/pip install --quiet $(PIP_ARGS) -c requirements.lock --no-build-isolation -e '.[all]'
	@touch $@

demo: .venv/.demo ## the whole loop in minutes: simulate, train, deliver, cover; report in out/demo
	$(BIN)/oxturn demo --out $(OUT)

test: .venv/.test ## style, types, import contracts, spelling and the default tests
	$(BIN)/python .ci/checks.py

test-all: .venv/.test ## the default tests and the slow ones
	$(BIN)/python .ci/checks.py --slow

airflow: .venv/.demo ## Airflow on loopback with the DAGs unpaused; prints address and login
	$(BIN)/pip install --quiet $(PIP_ARGS) -c requirements.lock --no-build-isolation -e '.[airflow]'
	$(BIN)/oxturn airflow

mlflow: .venv/.demo ## an MLflow server on loopback with its database and artifact store in out/mlflow
	mkdir -p out/mlflow
	$(BIN)/mlflow server --host 127.0.0.1 --port 5000 --backend-store-uri sqlite:///out/mlflow/mlflow.db --artifacts-destination out/mlflow/artifacts

test-arm64: .venv/.demo ## the robot's real aarch64 wheels and tests on an emulated Pi 4 and Pi 5; BUNDLE=folder adds a model
	sh deploy/arm64/test_arm64.sh $(BUNDLE)

lock: .venv/.test ## write requirements.lock from what .venv holds
	{ head -2 requirements.lock; $(BIN)/pip freeze --exclude-editable --exclude pip --exclude setuptools | sed -E 's/\+cpu//'; } > requirements.lock.tmp && mv requirements.lock.tmp requirements.lock

clean: ## remove what was built; .venv stays
	rm -rf out build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
