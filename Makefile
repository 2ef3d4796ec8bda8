# SPDX-License-Identifier: MPL-2.0
# A thin door to Meson and to scripts/. The build itself is described in the meson.build files.

BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
FUZZ_SECONDS ?= 10

.DEFAULT_GOAL := help
.PHONY: help setup build demo test test-real test-ifma bench bench-fxci bench-pipeline bench-peers fuzz lint install clean

help:
	@echo 'make demo                   watch encrypted submissions added up, task events become costs, clients recommendations'
	@echo 'make test                   run every test that needs no network'
	@echo
	@echo 'make setup                  install what is missing: Debian packages (root; or names them), DuckDB'
	@echo 'make build                  build everything in $(BUILD)/'
	@echo 'make test-real              run the tests against real servers and engines'
	@echo 'make test-ifma              run the kernels on an emulated CPU with AVX-512 IFMA'
	@echo 'make bench                  measure, as ratios to what cannot be avoided'
	@echo 'make bench-pipeline         both servers over 20,000 records on directories (ROWS= for more)'
	@echo 'make bench-fxci             fxci-etl: mapping, files and RabbitMQ into DuckDB'
	@echo 'make bench-peers            measure beside libprio-rs; needs a Rust toolchain'
	@echo 'make fuzz FUZZ_SECONDS=10   run every fuzz target for so long'
	@echo 'make lint                   formatting, static analysis, the rules of the house'
	@echo 'make install DESTDIR= PREFIX=/usr/local'
	@echo 'make clean                  remove $(BUILD)/ and build-*/'

setup:
	@scripts/setup build
	@scripts/setup-duckdb >/dev/null

$(BUILD)/build.ninja: | setup
	meson setup $(BUILD)

build: setup $(BUILD)/build.ninja
	@meson compile -C $(BUILD)

demo: build
	@scripts/demo $(BUILD)
	@scripts/demo-fxci $(BUILD)
	@scripts/demo-taar $(BUILD)

test: build
	@scripts/test $(BUILD)

test-real: test-ifma
	@scripts/setup real
	@scripts/test-real $(BUILD)

test-ifma: build
	@scripts/setup ifma
	@tests/emulated/run $(BUILD)

bench: build
	@scripts/bench $(BUILD)

bench-pipeline: build
	@bench/pipeline $(BUILD)

bench-fxci: build
	@bench/fxci $(BUILD)

bench-peers: build
	@bench/peers/libprio-rs/run $(BUILD)

fuzz:
	@scripts/setup fuzz
	@scripts/fuzz $(FUZZ_SECONDS)

lint: build
	@scripts/setup lint
	@scripts/lint $(BUILD)

# The pkg-config file holds the prefix, so the build must know it; Meson rebuilds only that file.
install: build
	@meson configure $(BUILD) -Dprefix=$(abspath $(PREFIX))
	@ninja -C $(BUILD)
	@DESTDIR=$(abspath $(DESTDIR)) meson install -C $(BUILD) --no-rebuild

clean:
	rm -rf $(BUILD) build-*
