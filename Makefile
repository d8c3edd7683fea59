PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.setup-done
.DEFAULT_GOAL := help
.PHONY: help setup up deploy down test soak lint docs bench screenshots lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv with the locked versions (about a minute, then instant)

# Bytecode is compiled on every core after the install, not by pip on one: without it imports take two to three times as long.
$(STAMP): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "nemwarm needs Python 3.11 or newer; name one: make setup PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "$(PYTHON) cannot make virtual environments; on Debian and Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; }
	@echo "installing nemwarm and its locked dependencies into .venv ..."
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-compile -c requirements.lock -e '.[dev]'
	@$(BIN)/python -m compileall -qq -j 0 .venv/lib nem cache_store flows dashboard cli || true
	@touch $@

up: setup ## land the sample if there is no source, warm it and serve the dashboard
	$(BIN)/nemwarm up

deploy: setup ## start a Prefect server and a worker here, and deploy the schedules of prefect.yaml
	@$(BIN)/python -m flows.local up

down: ## end the server and the worker that `make deploy` started
	@$(BIN)/python -m flows.local down

test: setup ## run every test, those in a real browser included
	@$(BIN)/python -m tests.browser
	$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile

soak: setup ## ten thousand random requests of each kind against the oracle, with revisions between (hours)
	HYPOTHESIS_PROFILE=soak $(BIN)/python -m pytest -m 'not browser' tests/cache_store/test_answers.py tests/cache_store/test_revisions.py tests/nem

lint: setup ## ruff, mypy and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

docs: setup ## write the parts of the pages that are made from the code
	@$(BIN)/python -m docs.generate

bench: setup .bench/.setup-done ## measure the budgets beside rivals, ten minutes; FULL=1 an hour; ONLY=load that alone
	@$(BIN)/python -m tests.browser >/dev/null
	$(BIN)/python -m benchmarks $(if $(FULL),--size full) $(if $(ONLY),--only $(ONLY))

# SQLMesh's newest release wants older versions than ours of two libraries: it lives apart.
.bench/.setup-done: $(STAMP) benchmarks/requirements.lock benchmarks/sqlmesh.lock
	@echo "installing the rivals ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c requirements.lock -c benchmarks/requirements.lock -e '.[bench]'
	@$(PYTHON) -m venv --clear .bench/sqlmesh
	@.bench/sqlmesh/bin/python -m pip install -qq --disable-pip-version-check -r benchmarks/sqlmesh.lock
	@touch $@

screenshots: setup ## take the pictures of docs/images anew, of the bundled sample (five minutes)
	@$(BIN)/python -m tests.browser >/dev/null
	$(BIN)/python -m tests.screenshots

lock: ## write requirements.lock afresh with the newest versions pyproject.toml allows
	@scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && $(PYTHON) -m venv "$$scratch" && \
	  "$$scratch/bin/pip" install -qq -e '.[dev]' && \
	  { head -n 1 requirements.lock; "$$scratch/bin/pip" freeze --exclude-editable | grep -E '^[A-Za-z0-9._-]+==[^ @/]+$$'; } > .venv.lock && \
	  mv .venv.lock requirements.lock

clean: ## remove .venv, caches and build output (never data)
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
