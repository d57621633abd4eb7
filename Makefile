# Everything that builds, tests or shows lvsctl. On a fresh Debian machine with
# Go, make and git, as root, `make demo` and `make test` set up what they need.

GO      ?= go
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# All of staticcheck's defaults but the wording of errors: an error here is a
# line, and from its second line on what to do about it, in sentences.
CHECKS := all,-ST1000,-ST1003,-ST1016,-ST1020,-ST1021,-ST1022,-ST1005
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

# What the lab and the tests need beyond Go: command, then Debian package.
TOOLS := qemu-system-x86_64:qemu-system-x86 ipvsadm:ipvsadm sshd:openssh-server ssh:openssh-client \
         ip:iproute2 iptables:iptables modprobe:kmod busybox:busybox-static toybox:toybox cpio:cpio arping:iputils-arping \
         ping:iputils-ping curl:curl redis-server:redis-server redis-cli:redis-tools conntrack:conntrack sudo:sudo csh:csh fish:fish \
         qemu-img:qemu-utils mmdebstrap:mmdebstrap mke2fs:e2fsprogs mkfs.xfs:xfsprogs keepalived:keepalived start-stop-daemon:dpkg shellcheck:shellcheck

.PHONY: build install setup demo demo-reboot clock times test lint unit lab lab-others bench clean

build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-X main.version=$(VERSION)" -o bin/lvsctl ./cmd/lvsctl

install: build
	install -m 0755 bin/lvsctl /usr/local/bin/lvsctl

# setup installs the Debian packages whose commands are missing. It starts none of
# their services here: a policy-rc.d says so while it installs.
setup:
	@missing=; for t in $(TOOLS); do \
	  PATH="$$PATH:/usr/sbin:/sbin" command -v $${t%%:*} >/dev/null || missing="$$missing $${t##*:}"; \
	done; \
	if [ -n "$$missing" ]; then \
	  echo "installing$$missing"; \
	  policy=/usr/sbin/policy-rc.d; \
	  if [ ! -e $$policy ]; then \
	    trap "rm -f $$policy" EXIT; printf '#!/bin/sh\nexit 101\n' >$$policy; chmod 755 $$policy; \
	  fi; \
	  apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing >/dev/null; \
	fi

# demo shows a DR cluster of real Linux hosts from nothing to answers.
demo: setup build
	@./examples/demo.sh

# demo-reboot shows the same cluster as whole Debians, and reboots them all.
demo-reboot: setup build
	@./examples/demo-reboot.sh

test: clock setup lint unit lab
	@$(MAKE) -s times
	@echo "The slowest tests:"; cat $(LOGS)/*.json | $(GOTESTSUM) tool slowest --num 5

# Each run of tests leaves what `go test -json` says in a file of its own: times, for
# the end of `make test`.
LOGS       := bin/tests
GOTESTSUM  := $(GO) run gotest.tools/gotestsum@v1.13.0
FORMAT      = $(if $(filter -v,$(GOTESTFLAGS)),standard-verbose,standard-quiet)
TEST        = $(GOTESTSUM) --format $(FORMAT) --hide-summary all --jsonfile $(LOGS)/$(1).json -- -timeout 30m $(filter-out -v,$(GOTESTFLAGS))

clock:
	@rm -rf $(LOGS)

# times prints how long each package took in the last `make test`, the slowest first.
times:
	@sed -nE 's/.*"Action":"(pass|fail)","Package":"([^"]*)","Elapsed":([0-9.]+).*/\3 \2/p' $(LOGS)/*.json | \
	  awk '{ t[$$2] += $$1; all += $$1 } END { for (p in t) printf "%7.1f s  %s\n", t[p], p; printf "%7.1f s  all packages\n", all }' | sort -rn

lint:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "gofmt would change these files"; exit 1; }
	$(GO) mod tidy -diff
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) -checks $(CHECKS) ./...
	shellcheck internal/shell/*.sh

# unit runs everything but the lab. The race detector is there where goroutines meet.
# Megabytes of hostile values are parsed without it: that takes seven times as long
# with it. So are the faults at each of some hundred places, which differ on the host only.
# Those of apply come last and alone: they time hosts.
RACE       := cmd/lvsctl|internal/lang|internal/remote|internal/survey
ALONE      := examples|internal/lab|apply
unit:
	@mkdir -p $(LOGS)
	LVSCTL_LAB=0 $(call TEST,unit) -skip '^(TestLabPairs|TestDebians)$$' $$($(GO) list ./... | grep -vE '/($(RACE)|$(ALONE))(/|$$)')
	LVSCTL_LAB=0 $(call TEST,race) -race -skip '^TestHostileValues$$' $$($(GO) list ./... | grep -E '/($(RACE))(/|$$)')
	$(call TEST,hostile) -run '^TestHostileValues$$' ./cmd/lvsctl
	$(call TEST,apply) -race -skip Everywhere ./apply
	$(call TEST,everywhere) -run Everywhere ./apply

# lab runs what needs a kernel with IPVS, in virtual machines. TestPair waits a third of its
# time, for keepalived's timers: it runs beside the others and goes first wherever both want
# a processor. TestReboot, which waits for machines, follows it there. The test under load has
# the machine to itself: a request that an overloaded one loses proves nothing.
LAB_TEST = LVSCTL_LAB=1 $(call TEST,$(1)) -count=1 -timeout 80m
lab: build
	@mkdir -p $(LOGS)
	@( $(call LAB_TEST,pair) -run '^TestPair$$' ./examples; pair=$$?; \
	   nice -n 10 env $(call LAB_TEST,reboot) -run '^TestReboot$$' ./examples; exit $$((pair + $$?)) ) >$(LOGS)/beside.log 2>&1 & beside=$$!; \
	nice -n 10 $(MAKE) -s lab-others; others=$$?; \
	wait $$beside; beside=$$?; cat $(LOGS)/beside.log; exit $$((beside + others))
	$(call LAB_TEST,load) -run '^TestNothingLostUnderLoad$$' ./examples
	$(call LAB_TEST,pairs) -run '^TestLabPairs$$' ./plan
	$(call LAB_TEST,debians) -parallel 4 -run '^TestDebians$$' ./internal/persist

lab-others:
	$(call LAB_TEST,lab) -p 1 -skip '^(TestNothingLostUnderLoad|TestPair|TestReboot)$$' ./internal/lab/... ./examples

bench:
	$(GO) test -run '^$$' -bench . -benchmem ./plan ./internal/state ./internal/persist ./internal/adopt ./topology

clean:
	rm -rf bin
