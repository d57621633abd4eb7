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
         ip:iproute2 iptables:iptables modprobe:kmod busybox:busybox-static cpio:cpio arping:iputils-arping \
         ping:iputils-ping curl:curl redis-server:redis-server redis-cli:redis-tools conntrack:conntrack sudo:sudo csh:csh fish:fish \
         qemu-img:qemu-utils mmdebstrap:mmdebstrap mke2fs:e2fsprogs keepalived:keepalived start-stop-daemon:dpkg shellcheck:shellcheck

.PHONY: build install setup demo demo-reboot test lint unit lab bench clean

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

test: setup lint unit lab

lint:
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "gofmt would change these files"; exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) -checks $(CHECKS) ./...
	shellcheck internal/shell/*.sh

# unit runs everything but the lab, with the race detector. Megabytes of hostile
# values are parsed without it: that takes seven times as long with it. The faults
# of apply come last and alone: they time hosts.
unit:
	LVSCTL_LAB=0 $(GO) test -race -timeout 30m -skip '^(TestLabPairs|TestHostileValues)$$' $(GOTESTFLAGS) $$($(GO) list ./... | grep -Ev '/examples|/internal/lab$$|/apply$$')
	$(GO) test -timeout 30m -run '^TestHostileValues$$' $(GOTESTFLAGS) ./cmd/lvsctl
	$(GO) test -race -timeout 30m $(GOTESTFLAGS) ./apply

# lab runs what needs a kernel with IPVS, in virtual machines. The test under load
# has the machine to itself: a request that an overloaded one loses proves nothing.
lab: build
	LVSCTL_LAB=1 $(GO) test -p 1 -count=1 -timeout 80m -skip '^TestNothingLostUnderLoad$$' $(GOTESTFLAGS) ./internal/lab ./examples
	LVSCTL_LAB=1 $(GO) test -count=1 -timeout 30m -run '^TestNothingLostUnderLoad$$' $(GOTESTFLAGS) ./examples
	LVSCTL_LAB=1 $(GO) test -count=1 -timeout 30m -run '^TestLabPairs$$' $(GOTESTFLAGS) ./plan

bench:
	$(GO) test -run '^$$' -bench . -benchmem ./plan ./internal/state ./topology

clean:
	rm -rf bin
