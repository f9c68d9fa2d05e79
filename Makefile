.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test test-agents fuzz soak lint bench lock clean set-up set-up-test chromium commands nchan npm-packages

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

run: set-up ## start the server: http://127.0.0.1:8000
	@exec .venv/bin/agent-stream serve

test: set-up-test chromium commands npm-packages lint ## check style and types, then run all tests
	export CHROMIUM="$$(.ci/ensure-chromium)" PYTHONDONTWRITEBYTECODE=; \
	.venv/bin/python -m pytest -n 4 --dist worksteal || { \
	    echo "Once more, one at a time: what failed while four ran at once"; \
	    .venv/bin/python -m pytest --last-failed --last-failed-no-failures none; }

test-agents: set-up-test ## run the tests that drive real agents, installed with npm
	.venv/bin/python -m pytest -m agents

fuzz: set-up-test ## look for trouble with random input, FUZZ_SECONDS (600) a target
	FUZZ_SECONDS=$${FUZZ_SECONDS:-600} .venv/bin/python -m pytest -rP -o faulthandler_timeout=0 tests/fuzz

soak: set-up-test ## an hour of ordinary life, SOAK_MINUTES (60): nothing lost, nothing that grows
	.venv/bin/python -m tests.soak --minutes $${SOAK_MINUTES:-60}

lint: set-up-test ## check style and types
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy

bench: set-up-test commands nchan ## measure speed (15 min), and draw the picture in the documentation
	.venv/bin/python -m tests.bench --picture webapp/docs/images/figures.svg

lock: set-up ## renew the locked dependencies in requirements/
	@.ci/lock

clean: ## remove .venv, caches and builds; var/ stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist tests/node_modules
	find webapp migrations tests -name __pycache__ -prune -exec rm -rf {} +

set-up:
	@.ci/set-up run

set-up-test:
	@.ci/set-up test

chromium:
	@.ci/ensure-chromium >/dev/null

nchan:
	@test -e /usr/lib/nginx/modules/ngx_nchan_module.so || .ci/apt-install libnginx-mod-nchan

commands:
	@.ci/ensure-commands curl nginx openssl sqlite3

npm-packages:
	@.ci/ensure-npm-packages
