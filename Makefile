# `make demo` and `make test` set up what they need by themselves; PYTHON chooses the interpreter.
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3 python,$(shell command -v $(name) 2>/dev/null)))
VENV := .venv
BIN := $(VENV)/bin
# the demo gets along with these; the tests and checks take the rest too
EXTRAS := train,serve
DEMO_PLUGINS := autoencoder cnn
MORE := data,sign,tensorboard,test,dev
MARK := $(VENV)/.installed
DEMO_MARK := $(VENV)/.installed-demo
DOCS_MARK := $(VENV)/.installed-docs
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
PACKAGES := pyproject.toml constraints.txt $(wildcard plugins/*/pyproject.toml)
WORKERS ?= 2
export OMP_NUM_THREADS ?= 2

.PHONY: install demo test check fix docs site docs-test release bench clean bench-hub test-kill test-axe test-interop test-clients test-hub-kill \
	test-hub-fuzz test-faults test-pull-kills test-fuzz test-attacks test-wheels test-keras test-gguf test-peft test-engines test-explain \
	test-lowest test-pythons

install: $(MARK)

$(DEMO_MARK): $(PACKAGES)
	@test -n "$(PYTHON)" || { echo "zoo needs Python 3.11 or newer; install it, or name one: make PYTHON=/path/to/python"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "zoo needs Python 3.11 or newer, $(PYTHON) is older; name another: make PYTHON=/path/to/python"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) has no venv and pip; install them (Debian: apt install python3-venv)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) -e '.[$(EXTRAS)]' $(DEMO_PLUGINS:%=-e ./plugins/%)
	@touch $@

$(MARK): $(DEMO_MARK)
	$(INSTALL) -e '.[$(EXTRAS),$(MORE)]' $(patsubst %/pyproject.toml,-e ./%,$(wildcard plugins/*/pyproject.toml))
	@touch $@

$(DOCS_MARK): $(MARK)
	$(INSTALL) -e '.[docs]'
	@touch $@

demo: $(DEMO_MARK)
	$(BIN)/zoo demo

test: install
	$(BIN)/python -m pytest -q -n $(WORKERS)

test-kill: install
	ZOO_KILLS=200 $(BIN)/python -m pytest -q tests/engine/test_kills.py

# the libraries that tests/interop compares with, in an environment of their own; benchmarks/peers.sh makes it
PEERS ?= /tmp/zoo-peers

test-interop:
	@test -e $(PEERS)/ready || { echo "no $(PEERS)/ready; make the environment first: benchmarks/peers.sh . $(PEERS)"; exit 1; }
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check pytest hypothesis onnx onnxscript onnxruntime httptools jinja2 lz4 markdown-it-py nh3 'uvicorn>=0.32'
	OMP_NUM_THREADS=1 PYTHONPATH=$(subst $(eval) ,:,$(CURDIR) $(addprefix $(CURDIR)/,$(wildcard plugins/*))) $(PEERS)/bin/python -m pytest -q -W default tests/interop

# Keras and KerasHub on torch, in an environment of their own; benchmarks/keras_oracle.sh makes it
KERAS ?= /tmp/zoo-keras-oracle

test-keras:
	@test -e $(KERAS)/ready || { echo "no $(KERAS)/ready; make it first: benchmarks/keras_oracle.sh . $(KERAS)"; exit 1; }
	OMP_NUM_THREADS=1 KERAS_BACKEND=torch $(KERAS)/bin/python -m pytest -q -W default tests/interop/test_keras.py tests/interop/test_keras_hub.py tests/interop/test_keras_hub_writing.py tests/interop/test_keras_hed.py

# Unmodified clients of many versions, in environments that pip makes in /tmp/zoo-clients
# GGUF and chat templates as gguf and transformers read them; benchmarks/gguf_oracle.sh makes the environment
GGUF ?= /tmp/oracle-gguf

test-gguf:
	@test -e $(GGUF)/ready || { echo "no $(GGUF)/ready; make it first: benchmarks/gguf_oracle.sh . $(GGUF)"; exit 1; }
	OMP_NUM_THREADS=1 $(GGUF)/bin/python -m pytest -q -W default tests/interop/test_gguf.py tests/interop/test_chat_templates.py

# Adapters as PEFT makes and opens them; benchmarks/peft_oracle.sh makes the environment
PEFT ?= /tmp/oracle-peft

test-peft:
	@test -e $(PEFT)/ready || { echo "no $(PEFT)/ready; make it first: benchmarks/peft_oracle.sh . $(PEFT)"; exit 1; }
	OMP_NUM_THREADS=1 $(PEFT)/bin/python -m pytest -q -W default tests/interop/test_peft.py

# The lowest versions that pyproject.toml allows, and other Pythons; TORCH_INDEX names an index of CPU builds
test-lowest: install
	PYTHONPATH=. $(BIN)/python tests/wheels/bounds.py lowest

test-pythons: install
	PYTHONPATH=. $(BIN)/python tests/wheels/bounds.py pythons

# zoo-explain beside grad-cam and ROAD's authors' code; benchmarks/explain_oracle.sh makes the environment
EXPLAIN ?= /tmp/oracle-explain

test-explain:
	@test -e $(EXPLAIN)/bin/python || { echo "no $(EXPLAIN); make it first: benchmarks/explain_oracle.sh . $(EXPLAIN)"; exit 1; }
	OMP_NUM_THREADS=1 $(EXPLAIN)/bin/python -m pytest -q -W default plugins/explain/tests/interop

# every engine, also those that take minutes; pip install -e './plugins/engines[onnxruntime,openvino]' brings two
test-engines: install
	ZOO_ENGINES=all $(BIN)/python -m pytest -q plugins/engines/tests

test-clients: install
	$(BIN)/python tests/clients/matrix.py

# The wheels in clean environments, without and with each extra
test-wheels: install
	$(BIN)/python tests/wheels/matrix.py

test-hub-kill: install
	$(BIN)/python benchmarks/hub_kill.py --kills 200

test-hub-fuzz: install
	ZOO_FUZZ_REQUESTS=20000 $(BIN)/python -m pytest -q -s tests/hub/server/test_any_request.py

# Every attack, and what costs a Hub much against the clock; figures also go to ATTACK_RESULTS
ATTACK_RESULTS ?= /tmp/zoo-attacks.json

test-attacks: install
	ZOO_ATTACKS=2000 ZOO_ATTACK_RESULTS=$(ATTACK_RESULTS) $(BIN)/python -m pytest -q -s tests/attacks
	ZOO_SECRETS=all $(BIN)/python -m pytest -q tests/test_secrets.py
	ZOO_OUTSIDE_NAMES=5000 $(BIN)/python -m pytest -q tests/hub/test_outside_names.py tests/hub/test_revisions.py

test-axe: install
	mkdir -p .cache/axe && cd .cache/axe && npm pack --silent axe-core@4.14.1 && tar xzf axe-core-4.14.1.tgz package/axe.min.js
	ZOO_AXE=$(CURDIR)/.cache/axe/package/axe.min.js $(BIN)/python -m pytest -q tests/hub/server/pages/test_accessible.py

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python docs/generate.py --check
	$(BIN)/python tools/make_registry.py --check
	$(BIN)/towncrier build --draft --version next >/dev/null

fix: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python docs/generate.py
	$(BIN)/python tools/make_registry.py

# Fills a Hub with 100,000 repos in /tmp/zoo-hub-many (1.4 GB), once
bench-hub: install
	$(BIN)/python benchmarks/hub_throughput.py
	$(BIN)/python benchmarks/hub_many.py

docs: install
	$(BIN)/python docs/generate.py
	$(BIN)/python tools/make_registry.py

# The site: every page, and each looked at in Chromium, where there is one
SITE ?= build/site

site: $(DOCS_MARK)
	$(BIN)/python tools/site.py --out $(SITE)
	ZOO_SITE=$(SITE) $(BIN)/python -m pytest -q tests/site/test_built.py

# Every block of the README and the pages, in temporary folders, on loopback; PAGES names some
docs-test: install
	$(BIN)/python tools/doc_tests $(PAGES)

# A release in dist/VERSION, of what is committed; CHECK=--quick leaves out the demo, CHECK=--dry-run changes nothing else
release: install
	@test -n "$(VERSION)" || { echo "name one: make release VERSION=1.2.3"; exit 1; }
	$(BIN)/python tools/release.py $(VERSION) $(CHECK)

# Long runs: what `make test` has samples of. docs/weights.md has their last results.
test-faults: install
	PYTHONPATH=. $(BIN)/python tests/faults/schedules.py --count 1000

test-pull-kills: install
	PYTHONPATH=. $(BIN)/python tests/faults/kills.py --count 100

test-fuzz: install
	PYTHONPATH=. $(BIN)/python tests/fuzz/readers.py --seconds 1800

bench: install
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/loading.py
	$(BIN)/python benchmarks/trainers
	$(BIN)/python benchmarks/transfer.py

clean:
	rm -rf $(VENV) demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
