# vmsec - build, test, install. `make help` lists the targets.
# Explicit source lists: a file that is not named here does not exist.

VERSION   := 0.1.0
PREFIX    ?= /usr
SYSCONFDIR ?= /etc
RUNDIR    ?= /run/rbacd
STATEDIR  ?= /var/lib/rbacd
MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)
PAMDIR    ?= $(PREFIX)/lib/$(if $(MULTIARCH),$(MULTIARCH)/)security
DESTDIR   ?=

# VARIANT=release (default), asan, clang, cov: each builds in a folder of its own.
VARIANT ?= release
B       := build/$(VARIANT)

PKGS_POLICY := yaml-0.1 libcrypto
PKGS_RBACD  := yaml-0.1 liboath libcrypto sqlite3 libevent_core
PKGS_CTL    := $(PKGS_RBACD) libqrencode
PKGS_DIR    := libevent_core
pkg_cflags   = $(shell pkg-config --cflags $(1))
pkg_libs     = $(shell pkg-config --libs $(1))

WARN := -Wall -Wextra -Wshadow -Wvla -Wundef -Wstrict-prototypes -Wmissing-prototypes \
        -Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wswitch-enum -Wconversion \
        -Wimplicit-fallthrough
HARD := -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
        -fstack-clash-protection -fcf-protection -fvisibility=hidden -fPIC \
        -fno-strict-aliasing -fno-delete-null-pointer-checks
LDHARD := -Wl,-z,relro,-z,now,-z,noexecstack,-z,defs -Wl,--as-needed
ifeq ($(VARIANT),asan)
HARD   := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all \
          -fvisibility=hidden -fPIC -fno-strict-aliasing
LDHARD := -fsanitize=address,undefined
endif
ifeq ($(VARIANT),clang)
CC := clang
HARD := $(filter-out -D_FORTIFY_SOURCE=3,$(HARD)) -D_FORTIFY_SOURCE=2
endif
WERROR  ?=
CFLAGS  ?= -g
override CFLAGS += -std=gnu17 -D_GNU_SOURCE -I. $(WARN) $(WERROR) $(HARD) \
  -DVMSEC_VERSION='"$(VERSION)"' -DVMSEC_RUNDIR='"$(RUNDIR)"' \
  -DVMSEC_STATEDIR='"$(STATEDIR)"' -DVMSEC_SYSCONFDIR='"$(SYSCONFDIR)"'
override CPPFLAGS += $(call pkg_cflags,yaml-0.1 liboath libcrypto sqlite3 libevent_core libqrencode)

# ---------------------------------------------------------------- sources
POLICY_SRC := policy/diag.c policy/yaml.c policy/load.c policy/check.c policy/compile.c \
  policy/match.c policy/decide.c policy/explain.c policy/print.c
WIRE_SRC   := rbacd/wire/buf.c rbacd/wire/msg.c rbacd/wire/call.c rbacd/wire/client.c rbacd/wire/code.c
MODULE_SRC := pam_vmsec/pam_vmsec.c pam_vmsec/args.c pam_vmsec/origin.c pam_vmsec/person.c \
  pam_vmsec/talk.c pam_vmsec/text.c
STORE_SRC  := rbacd/store/sqlite.c rbacd/store/seal.c
AUDIT_SRC  := rbacd/audit/record.c rbacd/audit/chain.c rbacd/audit/sink_syslog.c
MFA_SRC    := rbacd/mfa/mfa.c rbacd/mfa/totp.c rbacd/mfa/recovery.c rbacd/mfa/lockout.c \
  rbacd/mfa/enrol.c
SNAPSHOT_SRC := rbacd/directory/snapshot.c
RBACD_SRC  := rbacd/main.c rbacd/server.c rbacd/privilege.c rbacd/config.c rbacd/request.c \
  rbacd/outcome.c rbacd/conn.c rbacd/accept.c rbacd/caps.c rbacd/handle.c rbacd/identity.c rbacd/authz.c rbacd/admin.c \
  rbacd/admin_people.c rbacd/admin_status.c rbacd/admin_explain.c \
  rbacd/directory/local.c rbacd/log.c
DIR_SRC    := rbacd/directory/dir_main.c rbacd/directory/nss.c rbacd/directory/file.c \
  rbacd/directory/local.c rbacd/log.c
CTL_SRC    := rbacd/ctl/rbacctl.c rbacd/ctl/tree.c rbacd/ctl/help.c rbacd/ctl/complete.c \
  rbacd/ctl/commands.c rbacd/ctl/call.c rbacd/ctl/out.c rbacd/ctl/text.c rbacd/ctl/qr.c \
  rbacd/ctl/record.c rbacd/ctl/cmd_status.c rbacd/ctl/cmd_people.c rbacd/ctl/cmd_enrol.c \
  rbacd/ctl/cmd_explain.c rbacd/ctl/cmd_policy.c rbacd/ctl/cmd_audit.c \
  rbacd/ctl/cmd_backup.c rbacd/directory/local.c

obj = $(patsubst %.c,$(B)/%.o,$(1))

MODULE := $(B)/pam_vmsec.so
PROGS  := $(B)/rbacd $(B)/rbacd-dir $(B)/rbacctl

.PHONY: all
all: $(MODULE) $(PROGS)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(MODULE): $(call obj,$(MODULE_SRC) $(WIRE_SRC)) pam_vmsec/pam_vmsec.map
	$(CC) $(CFLAGS) $(LDFLAGS) $(LDHARD) -shared -Wl,-z,nodelete \
	  -Wl,--version-script=pam_vmsec/pam_vmsec.map -o $@ $(filter %.o,$^) -lpam

$(B)/rbacd: $(call obj,$(RBACD_SRC) $(MFA_SRC) $(AUDIT_SRC) $(STORE_SRC) $(SNAPSHOT_SRC) $(WIRE_SRC) $(POLICY_SRC))
	$(CC) $(CFLAGS) $(LDFLAGS) $(LDHARD) -pie -o $@ $^ $(call pkg_libs,$(PKGS_RBACD))

$(B)/rbacd-dir: $(call obj,$(DIR_SRC) $(SNAPSHOT_SRC) $(WIRE_SRC) policy/diag.c policy/yaml.c)
	$(CC) $(CFLAGS) $(LDFLAGS) $(LDHARD) -pie -o $@ $^ $(call pkg_libs,$(PKGS_DIR) yaml-0.1)

$(B)/rbacctl: $(call obj,$(CTL_SRC) rbacd/config.c $(AUDIT_SRC) $(STORE_SRC) $(WIRE_SRC) $(POLICY_SRC))
	$(CC) $(CFLAGS) $(LDFLAGS) $(LDHARD) -pie -o $@ $^ $(call pkg_libs,$(PKGS_CTL))

# ---------------------------------------------------------------- unit tests
# A test links its own file and the objects named in LINK_<name>, nothing else.
# test name = path below tests/unit without .c, e.g. policy/test_decide.
UNIT_TESTS :=

# policy
# wire
# store, audit, mfa
# directory, identity
# daemon
UNIT_TESTS += rbacd/test_caps rbacd/test_handle rbacd/test_authz
LINK_rbacd/test_caps   := rbacd/caps.c
LINK_rbacd/test_handle := rbacd/handle.c
LIBS_rbacd/test_handle := -lcrypto
LINK_rbacd/test_authz  := rbacd/authz.c $(POLICY_SRC)
LIBS_rbacd/test_authz  := -lyaml -lcrypto
# ctl

define unit_rule
$(B)/tests/unit/$(1): $(B)/tests/unit/$(1).o $$(call obj,$$(LINK_$(1)))
	$$(CC) $$(CFLAGS) $$(LDFLAGS) $$(LDHARD) -o $$@ $$(filter %.o,$$^) -lcmocka $$(LIBS_$(1))
endef
$(foreach t,$(UNIT_TESTS),$(eval $(call unit_rule,$(t))))

.PHONY: unit
unit: $(patsubst %,$(B)/tests/unit/%,$(UNIT_TESTS))
	@tests/lib/run-unit $^

.PHONY: clean
clean:
	rm -rf build

-include $(shell find build -name '*.d' 2>/dev/null)
