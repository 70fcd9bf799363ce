# stepop: `make` builds, `make demo` shows it, `make check` is the fast test, `make test` is every test.
SHELL := /bin/bash
VERSION := 0.1.0
PREFIX ?= /usr/local
BUILD ?= build
LAYERS := core cloud submit stacks materializers operator operator/flavors cli
# libcurl is loaded when it is first needed (core/curl.c): linking it would triple the start-up time.
PACKAGES := jansson yaml-0.1 libcrypto sqlite3 expat

CC := gcc
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wformat=2 \
	-Wvla -Wconversion -Wno-sign-conversion -Werror
CPPFLAGS += -D_GNU_SOURCE -I. -DSTEPOP_VERSION='"$(VERSION)"'
CFLAGS ?= -O2 -g
SANITIZE := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

SOURCES := $(foreach layer,$(LAYERS),$(wildcard $(layer)/*.c))
LIBRARY := $(filter-out cli/main.c,$(SOURCES))
TESTS ?= $(patsubst tests/%.c,%,$(wildcard tests/test_*.c))
API_TESTS ?= $(patsubst tests/%.c,%,$(wildcard tests/api/test_*.c))
TEST_SUPPORT := $(wildcard tests/fakes/*.c)

.PHONY: all unit api check parity test demo install clean deps check-deps cluster-up cluster-down FORCE
all: $(BUILD)/stepop

$(BUILD)/release/%.o: %.c $(BUILD)/flags | deps
	@mkdir -p $(@D)
	@echo 'CC $<'
	@$(CC) $(CPPFLAGS) -std=gnu17 $(WARNINGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/asan/%.o: %.c $(BUILD)/flags | check-deps
	@mkdir -p $(@D)
	@echo 'CC (asan) $<'
	@$(CC) $(CPPFLAGS) -std=gnu17 $(WARNINGS) $(SANITIZE) -MMD -MP -c $< -o $@

# Changes only when the flags do, so that everything is built anew then.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CPPFLAGS) $(CFLAGS)' | cmp -s - $@ || echo '$(CPPFLAGS) $(CFLAGS)' > $@

# Only this file knows where it is installed: another PREFIX need not build all anew.
%/core/datadir.o: private CPPFLAGS += -DSTEPOP_DATADIR='"$(PREFIX)/share/stepop"'
$(patsubst %,$(BUILD)/%/core/datadir.o,release asan fuzz): $(BUILD)/prefix
$(BUILD)/prefix: FORCE
	@mkdir -p $(@D)
	@echo '$(PREFIX)' | cmp -s - $@ || echo '$(PREFIX)' > $@

deps:
	@type gcc pkg-config >/dev/null 2>&1 && \
		pkg-config --exists $(PACKAGES) libcurl libmariadb libpq libzip zlib && \
		test -e /usr/include/uthash.h || scripts/setup.sh build

check-deps: deps
	@type clang clang-format git python3 >/dev/null 2>&1 && pkg-config --exists cmocka libssl || \
		scripts/setup.sh check

# Plugins call back into the program, hence -rdynamic.
$(BUILD)/stepop: $(SOURCES:%.c=$(BUILD)/release/%.o)
	@echo 'LD $@'
	@$(CC) $(CFLAGS) -rdynamic $^ $$(pkg-config --libs $(PACKAGES)) -ldl -o $@

# What benchmarks measure with. Linked with libcurl, which only stepop itself loads when it is needed.
$(BUILD)/bench/%: $(BUILD)/release/bench/%.o $(LIBRARY:%.c=$(BUILD)/release/%.o)
	@mkdir -p $(@D)
	@echo 'LD $@'
	@$(CC) $(CFLAGS) -rdynamic $^ $$(pkg-config --libs $(PACKAGES) libcurl) -ldl -o $@

$(BUILD)/asan/libstepop.a: $(LIBRARY:%.c=$(BUILD)/asan/%.o) $(TEST_SUPPORT:%.c=$(BUILD)/asan/%.o)
	@rm -f $@
	@ar rcs $@ $^

$(BUILD)/tests/%: $(BUILD)/asan/tests/%.o $(BUILD)/asan/libstepop.a
	@mkdir -p $(@D)
	@$(CC) $(SANITIZE) -rdynamic $^ $$(pkg-config --libs $(PACKAGES) cmocka libssl) -ldl -o $@

$(BUILD)/asan/stepop: $(BUILD)/asan/cli/main.o $(BUILD)/asan/libstepop.a
	@echo 'LD (asan) $@'
	@$(CC) $(SANITIZE) -rdynamic $^ $$(pkg-config --libs $(PACKAGES)) -ldl -o $@

unit: $(TESTS:%=$(BUILD)/tests/%)
	@tests/run_unit.sh $^

# Against a real API server and a real S3 server; needs no root.
api: $(API_TESTS:%=$(BUILD)/tests/%)
	@tests/run_api.sh $^

# The fast part: at most two minutes when built.
check: unit $(BUILD)/asan/stepop $(BUILD)/stepop
	tests/check_layers.sh
	tests/check_headers.sh
	STEPOP=$(BUILD)/asan/stepop tests/check_docs.sh
	clang-format --dry-run -Werror $$(git ls-files '*.[ch]')
	tests/runtime/run.sh
	tests/run_cli.sh $(BUILD)/asan/stepop
	PYTHONPATH=tests/parity /usr/bin/python3 -B -m unittest -q test_normal_form
	/usr/bin/python3 -B tests/parity/parity.py check --stepop $(BUILD)/stepop

# What spark-submit creates is recorded anew, by the real one on a real API server.
parity: $(BUILD)/stepop
	/usr/bin/python3 -B tests/parity/parity.py parity --stepop $(BUILD)/stepop

# Everything: also a real API server, real Spark, and whole runs on a real node.
test: check
	$(MAKE) api
	$(MAKE) parity
	tests/runtime/run.sh spark
	tests/e2e/run.sh $(BUILD)/stepop

demo: $(BUILD)/stepop
	@scripts/demo.sh $(BUILD)/stepop

cluster-up:
	@scripts/setup.sh cluster >/dev/null
	@tests/cluster/node.sh up
	@echo 'Its addresses and credentials: eval "$$(tests/cluster/node.sh env)"'
	@echo 'kubectl then finds it by:      export KUBECONFIG=$$STEPOP_KUBECONFIG ($$STEPOP_KUBECTL is a kubectl)'

cluster-down:
	@tests/cluster/node.sh down

install: $(BUILD)/stepop
	install -D -m 755 $(BUILD)/stepop $(DESTDIR)$(PREFIX)/bin/stepop
	@for file in $$(find rbac runtime -name '*.yaml' -o -name '*.py'); do \
		install -D -m 644 $$file $(DESTDIR)$(PREFIX)/share/stepop/$$file || exit; done

clean:
	rm -rf $(BUILD)

# Parsers under fire: every tests/fuzz/fuzz_*.c for FUZZ_SECONDS, with libFuzzer.
FUZZ_SECONDS ?= 20
FUZZ_TARGETS ?= $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_FLAGS := -std=gnu17 -O1 -g -fno-omit-frame-pointer
$(BUILD)/fuzz/%.o: %.c $(BUILD)/flags | check-deps
	@mkdir -p $(@D)
	@clang $(CPPFLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -MMD -MP -c $< -o $@
$(BUILD)/fuzz/libstepop.a: $(LIBRARY:%.c=$(BUILD)/fuzz/%.o)
	@rm -f $@
	@ar rcs $@ $^
$(BUILD)/fuzz/fuzz_%: $(BUILD)/fuzz/tests/fuzz/fuzz_%.o $(BUILD)/fuzz/libstepop.a
	@clang -fsanitize=fuzzer,address,undefined $^ $$(pkg-config --libs $(PACKAGES)) -ldl -lm -o $@
.PHONY: fuzz
fuzz: $(FUZZ_TARGETS:%=$(BUILD)/fuzz/%)
	@tests/fuzz/run_fuzz.sh $(FUZZ_SECONDS) $^

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.SECONDARY:
