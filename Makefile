# `make help` lists the commands. All of them keep to this folder and its .venv.

PYTHON  ?= python3
SOURCE  ?= photos
SECONDS ?= 10
OUT     ?= demo_out

VENV := .venv
BIN  := $(VENV)/bin
PIP  := $(BIN)/python -m pip --disable-pip-version-check -qq
LOCK := requirements/ci.txt

# What the interface package is built from.
MSGS := $(wildcard caer_msgs/*.* caer_msgs/msg/* caer_msgs/srv/* caer_msgs/cmake/*)

# Messages of packages without wheels, for the tests only: test/interfaces/README.md.
TEST_MSGS := $(wildcard test/interfaces/*.* test/interfaces/*/*.* test/interfaces/*/msg/*)

export CMAKE_BUILD_PARALLEL_LEVEL := 2

.PHONY: demo test lint lock pictures clean help
.DELETE_ON_ERROR:

help:
	@echo 'make demo [SOURCE=photos|FILE|FOLDER|/dev/video0] [SECONDS=10] [OUT=demo_out]'
	@echo '              play pictures through the real node, print the emotions, write a video'
	@echo 'make test     lint, types, import contracts and every test'
	@echo 'make lint     lint, types and import contracts only'
	@echo 'make lock     renew $(LOCK) from setup.py and requirements/ros.txt'
	@echo 'make pictures [SOURCE=FILE OUT=FOLDER]  renew the pictures of README.md, or make them of your film'
	@echo 'make clean    remove .venv and everything that was built or written here'
	@echo 'PYTHON=python3.12 chooses the Python (3.10 to 3.13) of a new .venv'

demo: $(VENV)/.robot
	@$(BIN)/caer models install centerface
	@$(BIN)/caer models install demo-photos
	@$(BIN)/python -m caer_ros.ros.demo --source "$(SOURCE)" --seconds $(SECONDS) --out "$(OUT)"

test: lint
	$(BIN)/caer models install centerface
	$(BIN)/caer models install demo-photos
	CI=1 $(BIN)/python -m pytest

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# --- the virtual environment, in three layers; each is a stamp file, so that it is done once ---

$(VENV)/.venv:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo 'Python 3.10 to 3.13 is needed: make PYTHON=python3.12 ...' >&2; exit 2; }
	@command -v c++ >/dev/null || { echo 'A C and C++ compiler is needed (g++).' >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.robot: $(VENV)/.venv setup.py $(LOCK) requirements/ros.txt $(MSGS)
	@echo 'Installing ROS 2 wheels and caer_ros, building caer_msgs (a minute or two) ...'
	$(PIP) install -c $(LOCK) -r requirements/ros.txt -e '.[openvino,tracking]'
	$(PIP) install -c $(LOCK) --force-reinstall --no-deps ./caer_msgs
	@touch $@

$(VENV)/.dev: $(VENV)/.robot $(TEST_MSGS)
	$(PIP) install -c $(LOCK) -e '.[openvino,tracking,bags,train,dev]'
	$(PIP) install -c $(LOCK) --force-reinstall --no-deps ./test/interfaces
	@touch $@

# --- the lock: one file for every supported Python, no torch but the tested one ---

lock: $(VENV)/.venv
	$(PIP) install uv
	@echo '# Made by `make lock` from setup.py and requirements/ros.txt; do not edit.' > $(LOCK).new
	echo 'torch==2.13.0' | $(BIN)/uv pip compile --quiet --universal --python-version 3.10 \
	  --no-header --no-annotate --upgrade --extra openvino --extra tracking --extra bags --extra train --extra dev \
	  setup.py requirements/ros.txt - >> $(LOCK).new
	mv $(LOCK).new $(LOCK)

# --- what README.md shows ---

pictures: $(VENV)/.robot
	$(BIN)/caer models install centerface demo-photos demo-film
	$(BIN)/python scripts/pictures.py --source "$(SOURCE)" $(if $(filter-out demo_out,$(OUT)),--out "$(OUT)")

clean:
	rm -rf $(VENV) build install log demo_out caer_ros.egg-info \
	  .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
