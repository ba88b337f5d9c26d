# hspsam: `make demo` shows what it does, `make test` runs every test; both do all set-up first.
SHELL := /bin/bash
PREFIX ?= /usr/local
DESTDIR ?=
BUILD := .build/release

.PHONY: help setup build demo test soak fuzz sanitise emulate sbom bench lint install clean

help: ## Lists these targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: ## Installs missing system packages when root, else prints the command
	@deploy/setup.sh

build: setup ## Builds the program, optimised
	swift build -c release --product hspsam

demo: build ## Segments the samples into demo-output/
	@deploy/demo.sh $(BUILD)/hspsam

test: lint ## Runs every test: Swift, then the readers of other projects
	@deploy/setup.sh --tests
	@# What tests leave goes with their folder; those that run as somebody else have to enter it.
	folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && chmod 755 "$$folder" && \
	TMPDIR="$$folder" HSPSAM_INTEROP_OUT="$$PWD/.build/interop" swift test -c release --disable-testable-imports
	Tests/Interop/run.sh $(BUILD)/hspsam

soak: build ## Kills and disturbs the service for hours and compares the results: make soak ROUNDS=100 SEED=1
	Tests/Soak/run.sh $(BUILD)/hspsam $(or $(ROUNDS),100) $(or $(SEED),1)
	for fault in KILL TERM ENOSPC EIO; do \
		Tests/Soak/sweep.sh $(BUILD)/hspsam $$fault renameat2,rename,renameat,mkdirat,mkdir,unlinkat,unlink,rmdir || exit 1; \
		Tests/Soak/sweep.sh $(BUILD)/hspsam $$fault fsync,fdatasync || exit 1; \
		Tests/Soak/sweep.sh $(BUILD)/hspsam $$fault write,pwrite64,ftruncate 1 $(or $(STEP),3) || exit 1; \
		Tests/Soak/sweep.sh $(BUILD)/hspsam $$fault openat,openat2 1 $(or $(STEP),7) || exit 1; \
	done
	Tests/Soak/power.sh $(BUILD)/hspsam
	Tests/Soak/faults.sh $(BUILD)/hspsam
	Tests/Soak/delivery.sh $(BUILD)/hspsam
	Tests/Soak/load.sh $(BUILD)/hspsam $(or $(STUDIES),2000)

fuzz: setup ## Feeds wrong input to all that reads files: make fuzz SECONDS=60 TARGET=all
	@SECONDS_EACH=$(or $(SECONDS),60) TARGET=$(or $(TARGET),all) Tests/Fuzz/run.sh

sbom: build ## Prints what the program is made of (SPDX, JSON)
	@deploy/sbom.sh $(BUILD)/hspsam

bench: build ## Times the network
	$(BUILD)/hspsam bench --vit vit_t
	$(BUILD)/hspsam bench --vit vit_b

sanitise: setup ## Runs the kernels' tests with address and undefined-behaviour sanitisers
	@Tests/sanitise.sh

emulate: setup ## Runs the kernels' tests on an emulated CPU with AVX-512 and AMX
	@Tests/Emulator/run.sh

lint: ## Checks the formatting
	swift format lint --strict --parallel --recursive Sources Tests Package.swift

clean: ## Removes what was built
	rm -rf .build .build-* demo-output .venv

include deploy/install.mk
