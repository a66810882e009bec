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

# VARIANT=release (default), asan, clang, fuzz: each builds in a folder of its own.
VARIANT ?= release
B       := build/$(VARIANT)

PKGS_POLICY := yaml-0.1 libcrypto
PKGS_RBACD  := yaml-0.1 liboath libcrypto sqlite3 libevent_core pwquality libutf8proc libqrencode
PKGS_CTL    := $(PKGS_RBACD)
PKGS_DIR    := libevent_core ldap lber
pkg_cflags   = $(shell pkg-config --cflags $(1) 2>/dev/null)
pkg_libs     = $(shell pkg-config --libs $(1) 2>/dev/null)
LIBS_QUALITY = $(call pkg_libs,pwquality libutf8proc libcrypto) -lcrack
# These goals work without the libraries, or install them first.
ifneq ($(filter-out deps deps-build deps-demo check demo uninstall clean help,$(or $(MAKECMDGOALS),all)),)
ifneq ($(shell pkg-config --exists $(PKGS_CTL) 2>/dev/null && echo found),found)
$(error Libraries are missing: run "make deps" as root first)
endif
endif

WARN := -Wall -Wextra -Wshadow -Wvla -Wundef -Wstrict-prototypes -Wmissing-prototypes \
        -Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wswitch-enum -Wconversion \
        -Wimplicit-fallthrough
HARD := -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
        -fstack-clash-protection -fcf-protection -fvisibility=hidden -fPIC \
        -fno-strict-aliasing -fno-delete-null-pointer-checks -ffunction-sections
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
ifeq ($(VARIANT),fuzz)
CC := clang
HARD := -O1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
        -fno-sanitize-recover=all -fno-strict-aliasing
endif
WERROR  ?=
CFLAGS  ?= -g
override CFLAGS += -std=gnu17 -D_GNU_SOURCE -I. $(WARN) $(WERROR) $(HARD) \
  -DVMSEC_VERSION='"$(VERSION)"' -DVMSEC_RUNDIR='"$(RUNDIR)"' \
  -DVMSEC_STATEDIR='"$(STATEDIR)"' -DVMSEC_SYSCONFDIR='"$(SYSCONFDIR)"' \
  -DVMSEC_DATADIR='"$(PREFIX)/share/vmsec"'
PKG_CPPFLAGS := $(call pkg_cflags,$(PKGS_CTL))
override CPPFLAGS += $(PKG_CPPFLAGS)

# ---------------------------------------------------------------- sources
POLICY_SRC := policy/diag.c policy/yaml.c policy/yaml_get.c policy/names.c policy/load.c policy/declare.c \
  policy/define.c policy/check.c policy/service.c policy/rules.c policy/rule_when.c \
  policy/rule_time.c policy/bounds.c policy/password.c policy/enrolment.c policy/selftest.c policy/tz.c \
  policy/selector.c policy/vmset.c policy/compile.c policy/view.c policy/lock.c policy/match.c \
  policy/decide.c policy/near.c policy/grant.c policy/reason.c policy/explain.c policy/explain_near.c policy/print.c policy/privileges.c \
  policy/reach.c policy/somewhere.c policy/same.c policy/diff.c policy/terms.c policy/graph.c policy/lint.c policy/lint_pairs.c policy/lint_from.c policy/lint_names.c policy/lint_people.c policy/lint_password.c
WIRE_SRC   := rbacd/wire/buf.c rbacd/wire/msg.c rbacd/wire/call.c rbacd/wire/client.c rbacd/wire/code.c
MODULE_SRC := pam_vmsec/pam_vmsec.c pam_vmsec/args.c pam_vmsec/origin.c pam_vmsec/person.c \
  pam_vmsec/talk.c pam_vmsec/text.c pam_vmsec/combined.c pam_vmsec/request.c pam_vmsec/password.c
STORE_SRC  := rbacd/store/sqlite.c rbacd/store/sqlite_sql.c rbacd/store/sqlite_query.c \
  rbacd/store/sqlite_people.c rbacd/store/sqlite_access.c rbacd/store/sqlite_audit.c rbacd/store/sqlite_alert.c rbacd/store/sqlite_policy.c rbacd/store/sqlite_password.c \
  rbacd/store/backup.c rbacd/store/seal.c
AUDIT_SRC  := rbacd/audit/record.c rbacd/audit/fields.c rbacd/audit/reader.c \
  rbacd/audit/merkle.c rbacd/audit/note.c rbacd/audit/base.c rbacd/audit/checkpoint.c \
  rbacd/audit/segment.c rbacd/audit/segment_list.c rbacd/audit/retention.c rbacd/audit/chain.c rbacd/audit/audit.c \
  rbacd/audit/coalesce.c rbacd/audit/line.c rbacd/audit/sink_syslog.c rbacd/audit/verify.c \
  rbacd/audit/proof.c rbacd/audit/ocsf.c
KEYRING_SRC := rbacd/keys/keyring.c
RESEAL_SRC := rbacd/keys/reseal.c
URI_SRC    := rbacd/migrate/scan.c rbacd/migrate/otpauth_read.c
MIGRATE_SRC := $(URI_SRC) rbacd/migrate/google.c rbacd/migrate/pam_oath.c rbacd/migrate/oath_ldif.c
MIGRATE_CALLS := $(URI_SRC) rbacd/migrate/admin_import.c rbacd/migrate/admin_export.c
ANCHOR_SRC := rbacd/keys/anchor.c rbacd/keys/set_back.c
CLOCK_SRC  := rbacd/clock/guard.c rbacd/clock/clock.c rbacd/clock/forget.c \
  rbacd/clock/admin_clock.c
MFA_SRC    := rbacd/mfa/mfa.c rbacd/mfa/otp.c rbacd/mfa/recovery.c rbacd/mfa/lockout.c \
  rbacd/mfa/enrol.c rbacd/mfa/draft.c rbacd/mfa/otpauth.c rbacd/mfa/factor.c
MFA_SRC    += rbacd/mfa/budget.c rbacd/mfa/key.c
ENROL_SRC  := rbacd/enrol/enrol.c rbacd/enrol/pending.c rbacd/enrol/page.c rbacd/enrol/qr.c
PASSWORD_SRC := $(addprefix rbacd/password/,flow.c admin_password.c ageing.c history.c worker.c)
QUALITY_SRC  := $(addprefix rbacd/password/,quality.c quality_text.c simple.c text.c blocklist.c)
BLOCKLIST_SRC := rbacd/password/blocklist_build.c rbacd/password/blocklist_fuse.c
SNAPSHOT_SRC := rbacd/directory/snapshot.c rbacd/directory/snapshot_build.c rbacd/directory/snapshot_merge.c
# The list of system calls: not with sanitizers, which make calls of their own, and not
# without libseccomp.
SECCOMP := $(if $(filter asan,$(VARIANT)),,$(shell pkg-config --exists libseccomp 2>/dev/null && echo libseccomp))
SANDBOX_SRC := rbacd/sandbox/sandbox.c rbacd/sandbox/landlock.c \
  rbacd/sandbox/$(if $(SECCOMP),seccomp.c,seccomp_stub.c)
CONFIG_SRC := rbacd/config.c rbacd/config_directory.c rbacd/config_audit.c
ACTIVATE_SRC := $(addprefix rbacd/activate/,activate.c trial.c kept.c) rbacd/tally/tally.c rbacd/tally/people.c
RBACD_SRC  := rbacd/main.c rbacd/start.c rbacd/activation.c rbacd/server.c rbacd/standing.c rbacd/sessions.c rbacd/admin_standing.c rbacd/reload.c $(ACTIVATE_SRC) rbacd/privilege.c $(CONFIG_SRC) rbacd/request.c \
  rbacd/outcome.c rbacd/conn.c rbacd/accept.c rbacd/caps.c rbacd/handle.c rbacd/identity.c rbacd/groups.c rbacd/identity_lookup.c rbacd/identity_whole.c rbacd/identity_keep.c rbacd/targets.c rbacd/people_cache.c rbacd/directory/link.c rbacd/authz.c rbacd/admin.c \
  rbacd/admin_people.c rbacd/admin_status.c rbacd/admin_policy.c rbacd/admin_explain.c rbacd/admin_directory.c rbacd/admin_report.c \
  rbacd/admin_evidence.c rbacd/alert.c rbacd/metrics.c rbacd/hook.c rbacd/hook_process.c $(SANDBOX_SRC) rbacd/detect/detect.c \
  $(KEYRING_SRC) $(RESEAL_SRC) rbacd/keys/rotation.c rbacd/keys/admin_keys.c $(ANCHOR_SRC) $(CLOCK_SRC) $(MIGRATE_CALLS) \
  rbacd/detect/window.c rbacd/detect/widen.c \
  rbacd/directory/local.c rbacd/log.c $(ENROL_SRC)
LDAP_MAP_SRC := $(addprefix rbacd/directory/,dn.c ldap_entry.c ldap_filter.c ldap_map.c \
  ldap_map_follow.c ldap_map_group.c ldap_map_members.c ldap_map_node.c ldap_map_result.c \
  ldap_schema.c table.c)
# Talks to servers; only the follower's process calls it.
LDAP_SRC   := rbacd/directory/follow.c rbacd/directory/session.c rbacd/directory/poll.c \
  rbacd/directory/publish.c rbacd/directory/changes.c rbacd/directory/guard.c rbacd/directory/ldap_sync.c \
  rbacd/directory/ldap_search.c rbacd/directory/ldap_conn.c rbacd/directory/ldap_connect.c
DIR_SRC    := rbacd/directory/dir_main.c rbacd/directory/nss.c rbacd/directory/nss_worker.c \
  rbacd/directory/workers.c rbacd/directory/file.c rbacd/privilege.c \
  rbacd/directory/supervise.c rbacd/directory/bind_password.c rbacd/directory/confine.c rbacd/directory/stamp.c $(SANDBOX_SRC) $(LDAP_SRC) $(LDAP_MAP_SRC) \
  rbacd/directory/link.c rbacd/directory/local.c $(CONFIG_SRC) rbacd/log.c
DOCTOR_SRC := rbacd/doctor/pamconf.c rbacd/doctor/pamwalk.c rbacd/doctor/doctor.c \
  rbacd/doctor/doctor_pam.c rbacd/doctor/doctor_password.c rbacd/doctor/doctor_host.c rbacd/doctor/doctor_lists.c rbacd/doctor/sshd_match.c \
  rbacd/doctor/run.c rbacd/doctor/pamrules.c \
  rbacd/doctor/pamedit.c rbacd/doctor/pamedit_rules.c rbacd/doctor/pamfile.c
COMMANDS_SRC := $(addprefix rbacd/ctl/commands,.c _policy.c _audit.c _report.c _host.c _factor.c)
CTL_SRC    := $(DOCTOR_SRC) rbacd/ctl/cmd_doctor.c rbacd/ctl/cmd_pam.c rbacd/ctl/pam_login.c rbacd/ctl/rbacctl.c rbacd/ctl/tree.c rbacd/ctl/help.c rbacd/ctl/complete.c \
  $(COMMANDS_SRC) rbacd/ctl/call.c rbacd/ctl/out.c rbacd/ctl/text.c rbacd/enrol/qr.c \
  rbacd/ctl/record.c rbacd/ctl/cmd_status.c rbacd/ctl/cmd_people.c rbacd/ctl/cmd_lock.c rbacd/ctl/cmd_password_age.c rbacd/ctl/cmd_enrol.c \
  rbacd/ctl/cmd_explain.c rbacd/ctl/cmd_policy.c rbacd/ctl/cmd_policy_diff.c rbacd/ctl/cmd_policy_try.c rbacd/ctl/judge.c rbacd/ctl/cmd_access.c rbacd/ctl/cmd_policy_lint.c rbacd/ctl/cmd_policy_replay.c rbacd/ctl/cmd_policy_show.c rbacd/ctl/cmd_policy_pin.c rbacd/ctl/pin_text.c rbacd/ctl/replace.c rbacd/ctl/progress.c rbacd/ctl/cmd_audit.c \
  rbacd/ctl/cmd_audit_verify.c rbacd/ctl/cmd_audit_export.c rbacd/ctl/cmd_alerts.c \
  rbacd/ctl/cmd_metrics.c rbacd/ctl/log_files.c rbacd/ctl/target.c \
  rbacd/ctl/commands_keys.c rbacd/ctl/cmd_key.c rbacd/ctl/cmd_clock.c rbacd/ctl/cmd_import.c rbacd/ctl/cmd_export.c $(MIGRATE_SRC) rbacd/directory/dn.c rbacd/mfa/otpauth.c $(KEYRING_SRC) rbacd/ctl/cmd_backup.c rbacd/ctl/cmd_directory.c rbacd/targets.c rbacd/directory/local.c

REPORT_SRC := rbacd/report/report.c rbacd/report/write.c rbacd/report/write_text.c \
  rbacd/report/html.c rbacd/report/html_style.c rbacd/report/html_tools.c rbacd/report/svg.c \
  rbacd/report/index.c rbacd/report/activity.c rbacd/report/state.c rbacd/report/state_make.c \
  rbacd/report/holdings.c rbacd/report/reports.c rbacd/report/pack.c \
  $(addprefix rbacd/report/r_,access.c review.c changes.c unused.c privileged.c mfa.c activity.c \
  passwords.c separation.c integrity.c control_map.c) \
  rbacd/ctl/report_source.c rbacd/ctl/cmd_report.c
POPULATION_SRC := rbacd/tally/people.c rbacd/ctl/population_open.c rbacd/ctl/population_kept.c rbacd/groups.c rbacd/targets.c \
  rbacd/directory/file.c $(SNAPSHOT_SRC)
CTL_SRC    += $(REPORT_SRC) $(POPULATION_SRC) $(QUALITY_SRC) $(BLOCKLIST_SRC) \
  $(addprefix rbacd/ctl/,commands_password.c cmd_password.c cmd_blocklist.c prompt.c)

# A person's single factors and remembered proofs: the calls and the commands.
RBACD_SRC  += rbacd/request_mfa.c rbacd/admin_factor.c rbacd/notify.c rbacd/hook_queue.c
CTL_SRC    += rbacd/ctl/cmd_factor.c

# In a folder of their own: build/release/rbacd is the program.
# make V=1 shows the whole commands.
V ?= 0
silent := $(findstring s,$(firstword -$(MAKEFLAGS)))
say = $(if $(filter 1,$(V)),,@$(if $(silent),,printf '  %-5s %s\n' $(1) $@ && ))

obj = $(patsubst %.c,$(B)/obj/%.o,$(1))

MODULE := $(B)/pam_vmsec.so
PROGS  := $(B)/rbacd $(B)/rbacd-dir $(B)/rbacctl

.PHONY: all
all: $(MODULE) $(PROGS)

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# What of wire/ the module does not call is left out of it; it waits for people, so small
# counts more than fast.
$(call obj,$(MODULE_SRC) $(WIRE_SRC)): override CFLAGS += -ffunction-sections
ifneq ($(filter release clang,$(VARIANT)),)
$(call obj,$(MODULE_SRC)): override CFLAGS += -Os
endif

# It lives in every login process and waits most of the time: small before fast.
$(call obj,$(MODULE_SRC)): override CFLAGS += $(if $(filter release clang,$(VARIANT)),-Os)

$(MODULE): $(call obj,$(MODULE_SRC) $(WIRE_SRC)) pam_vmsec/pam_vmsec.map
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) $(LDHARD) -shared -Wl,-z,nodelete -Wl,--gc-sections \
	  -Wl,--version-script=pam_vmsec/pam_vmsec.map -o $@ $(filter %.o,$^) -lpam

$(B)/rbacd: $(call obj,$(RBACD_SRC) $(PASSWORD_SRC) $(QUALITY_SRC) $(MFA_SRC) $(AUDIT_SRC) $(STORE_SRC) $(SNAPSHOT_SRC) $(WIRE_SRC) $(POLICY_SRC))
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) $(LDHARD) -pie -o $@ $^ $(call pkg_libs,$(PKGS_RBACD) $(SECCOMP)) $(LIBS_QUALITY) -lcrypt

$(B)/rbacd-dir: $(call obj,$(DIR_SRC) $(SNAPSHOT_SRC) $(WIRE_SRC) policy/diag.c policy/yaml.c policy/yaml_get.c)
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) $(LDHARD) -pie -o $@ $^ $(call pkg_libs,$(PKGS_DIR) yaml-0.1 $(SECCOMP))

$(B)/rbacctl: $(call obj,$(CTL_SRC) $(SNAPSHOT_SRC) $(CONFIG_SRC) $(AUDIT_SRC) $(STORE_SRC) $(WIRE_SRC) $(POLICY_SRC))
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) $(LDHARD) -pie -o $@ $^ $(call pkg_libs,$(PKGS_CTL)) $(LIBS_QUALITY) -lpam -lm

# ---------------------------------------------------------------- unit tests
# A test links its own file and the objects named in LINK_<name>, nothing else.
# test name = path below tests/unit without .c, e.g. policy/test_decide.
UNIT_TESTS :=

# policy
UNIT_TESTS += policy/test_tz policy/test_load policy/test_decide
LINK_policy/test_tz   := policy/tz.c
LINK_policy/test_load := $(POLICY_SRC)
LIBS_policy/test_load := -lyaml -lcrypto
LINK_policy/test_decide := $(POLICY_SRC)
LIBS_policy/test_decide := -lyaml -lcrypto
# cases of public access-control suites
BEHAVIOUR_TESTS := $(addprefix policy/test_behaviour_,hbac simple ipa cidr engines time)
UNIT_TESTS += $(BEHAVIOUR_TESTS)
$(foreach t,$(BEHAVIOUR_TESTS),$(eval LINK_$(t) := tests/unit/policy/behaviour.c $(POLICY_SRC)))
$(foreach t,$(BEHAVIOUR_TESTS),$(eval LIBS_$(t) := -lyaml -lcrypto))
UNIT_TESTS += policy/test_enrolment
LINK_policy/test_enrolment := $(POLICY_SRC)
LIBS_policy/test_enrolment := -lyaml -lcrypto
UNIT_TESTS += policy/test_language
LINK_policy/test_language := $(POLICY_SRC)
LIBS_policy/test_language := -lyaml -lcrypto
UNIT_TESTS += policy/test_lint
LINK_policy/test_lint := $(POLICY_SRC)
LIBS_policy/test_lint := -lyaml -lcrypto
UNIT_TESTS += policy/test_from
LINK_policy/test_from := $(POLICY_SRC)
LIBS_policy/test_from := -lyaml -lcrypto
UNIT_TESTS += policy/test_memtext
LINK_policy/test_memtext :=
UNIT_TESTS += policy/test_reach policy/test_diff
LINK_policy/test_reach := $(POLICY_SRC)
LIBS_policy/test_reach := -lyaml -lcrypto
LINK_policy/test_diff  := $(POLICY_SRC)
LIBS_policy/test_diff  := -lyaml -lcrypto
UNIT_TESTS += policy/test_password
LINK_policy/test_password := $(POLICY_SRC)
LIBS_policy/test_password := -lyaml -lcrypto
# wire
UNIT_TESTS += wire/test_buf wire/test_msg wire/test_code wire/test_client
LINK_wire/test_buf    := rbacd/wire/buf.c
LINK_wire/test_msg    := rbacd/wire/buf.c rbacd/wire/msg.c rbacd/wire/call.c rbacd/wire/code.c
LINK_wire/test_code   := rbacd/wire/code.c
LINK_wire/test_client := rbacd/wire/buf.c rbacd/wire/client.c

# store, audit, mfa
UNIT_TESTS += store/test_seal store/test_store store/test_password
LINK_store/test_seal  := $(STORE_SRC) policy/diag.c
LIBS_store/test_seal  := -lsqlite3 -lcrypto
LINK_store/test_password := $(STORE_SRC) policy/diag.c
LIBS_store/test_password := -lsqlite3 -lcrypto
LINK_store/test_store := $(STORE_SRC) policy/diag.c
LIBS_store/test_store := -lsqlite3 -lcrypto
UNIT_TESTS += audit/test_audit audit/test_evidence audit/test_merkle mfa/test_mfa
LINK_audit/test_merkle := rbacd/audit/merkle.c rbacd/audit/note.c rbacd/audit/chain.c rbacd/audit/record.c \
  rbacd/store/seal.c policy/diag.c
LIBS_audit/test_merkle := -lcrypto
LINK_audit/test_audit := $(AUDIT_SRC) $(STORE_SRC) policy/diag.c policy/reason.c
LIBS_audit/test_audit := -lsqlite3 -lcrypto
LINK_audit/test_evidence := $(LINK_audit/test_audit)
LIBS_audit/test_evidence := -lsqlite3 -lcrypto
LINK_mfa/test_mfa     := $(MFA_SRC) $(STORE_SRC) policy/diag.c rbacd/wire/code.c
LIBS_mfa/test_mfa     := -lsqlite3 -lcrypto -loath
UNIT_TESTS += mfa/test_factor mfa/test_guess
LINK_mfa/test_factor  := $(LINK_mfa/test_mfa)
LIBS_mfa/test_factor  := $(LIBS_mfa/test_mfa)
LINK_mfa/test_guess   := $(LINK_mfa/test_mfa)
LIBS_mfa/test_guess   := $(LIBS_mfa/test_mfa)
UNIT_TESTS += migrate/test_migrate
LINK_migrate/test_migrate := $(MIGRATE_SRC) rbacd/directory/dn.c
UNIT_TESTS += clock/test_guard
LINK_clock/test_guard := rbacd/clock/guard.c $(MFA_SRC) $(STORE_SRC) policy/diag.c rbacd/wire/code.c
LIBS_clock/test_guard := -lsqlite3 -lcrypto -loath
UNIT_TESTS += clock/test_clock
LINK_clock/test_clock := rbacd/clock/guard.c rbacd/clock/clock.c rbacd/clock/forget.c rbacd/log.c \
  $(STORE_SRC) policy/diag.c
LIBS_clock/test_clock := -lsqlite3 -lcrypto
UNIT_TESTS += keys/test_keyring
LINK_keys/test_keyring := $(KEYRING_SRC) $(RESEAL_SRC) rbacd/mfa/otp.c rbacd/mfa/recovery.c \
  rbacd/wire/code.c policy/reason.c $(AUDIT_SRC) $(STORE_SRC) policy/diag.c
LIBS_keys/test_keyring := -lsqlite3 -lcrypto -loath
# password
UNIT_TESTS += password/test_blocklist password/test_quality
UNIT_TESTS += password/test_history password/test_ageing password/test_worker
LINK_password/test_history := rbacd/password/history.c
LIBS_password/test_history := -lcrypt
LINK_password/test_ageing := rbacd/password/ageing.c
LINK_password/test_worker := rbacd/password/worker.c $(SANDBOX_SRC) rbacd/directory/local.c \
  rbacd/wire/client.c rbacd/wire/buf.c policy/diag.c rbacd/log.c
LIBS_password/test_worker := -levent_core $(call pkg_libs,$(SECCOMP))
LINK_password/test_blocklist := $(BLOCKLIST_SRC) rbacd/password/blocklist.c rbacd/password/text.c policy/diag.c
LIBS_password/test_blocklist := $(LIBS_QUALITY) -lm
LINK_password/test_quality := $(QUALITY_SRC) $(BLOCKLIST_SRC) $(POLICY_SRC)
LIBS_password/test_quality := $(LIBS_QUALITY) -lyaml -lm
# directory, identity
UNIT_TESTS += directory/test_snapshot directory/test_local directory/test_file test_config test_identity
LINK_directory/test_snapshot := $(SNAPSHOT_SRC)
UNIT_TESTS += directory/test_dn directory/test_ldap_filter directory/test_ldap_map
LINK_directory/test_ldap_map := $(LDAP_MAP_SRC) $(SNAPSHOT_SRC)
UNIT_TESTS += directory/test_ldap_sync directory/test_supervise directory/test_poll directory/test_nss \
  directory/test_session
LINK_directory/test_nss := rbacd/directory/nss.c rbacd/log.c $(SNAPSHOT_SRC)
LIBS_directory/test_nss := -levent_core
LINK_directory/test_poll := rbacd/directory/poll.c $(LDAP_MAP_SRC) $(SNAPSHOT_SRC)
LINK_directory/test_session := rbacd/directory/session.c rbacd/log.c $(LDAP_MAP_SRC) $(SNAPSHOT_SRC)
LIBS_directory/test_session := -lldap -llber
LINK_directory/test_supervise := rbacd/directory/supervise.c rbacd/directory/link.c \
  rbacd/wire/buf.c rbacd/log.c $(SNAPSHOT_SRC)
LIBS_directory/test_supervise := -levent_core
LINK_directory/test_ldap_sync := rbacd/directory/ldap_sync.c rbacd/directory/ldap_search.c \
  $(LDAP_MAP_SRC) $(SNAPSHOT_SRC)
LIBS_directory/test_ldap_sync := -lldap -llber
LINK_directory/test_dn := rbacd/directory/dn.c
LINK_directory/test_ldap_filter := rbacd/directory/ldap_filter.c
LINK_directory/test_local := rbacd/directory/file.c rbacd/directory/local.c $(SNAPSHOT_SRC) \
  policy/diag.c policy/yaml.c policy/yaml_get.c
LINK_directory/test_file  := $(LINK_directory/test_local)
LINK_test_config          := $(CONFIG_SRC) policy/diag.c policy/yaml.c policy/yaml_get.c
LINK_test_identity        := rbacd/identity.c rbacd/groups.c rbacd/identity_lookup.c rbacd/identity_whole.c rbacd/identity_keep.c rbacd/targets.c rbacd/people_cache.c \
  rbacd/directory/link.c rbacd/directory/local.c rbacd/wire/buf.c rbacd/wire/client.c rbacd/log.c $(SNAPSHOT_SRC) \
  $(CONFIG_SRC) rbacd/store/seal.c $(POLICY_SRC)
LIBS_test_identity        := -levent_core -lyaml -lcrypto
LIBS_directory/test_local := -lyaml
LIBS_directory/test_file  := -lyaml
LIBS_test_config          := -lyaml
UNIT_TESTS += directory/test_publish directory/test_ldap_connect
LINK_directory/test_ldap_connect := rbacd/directory/ldap_connect.c rbacd/directory/bind_password.c \
  policy/diag.c
LINK_directory/test_publish := rbacd/directory/publish.c rbacd/directory/changes.c rbacd/directory/guard.c $(SNAPSHOT_SRC)
# daemon
UNIT_TESTS += rbacd/test_activate
LINK_rbacd/test_activate := $(ACTIVATE_SRC) rbacd/groups.c rbacd/log.c $(SNAPSHOT_SRC) $(AUDIT_SRC) \
  $(STORE_SRC) $(WIRE_SRC) $(POLICY_SRC)
LIBS_rbacd/test_activate := -lyaml -lcrypto -lsqlite3
UNIT_TESTS += rbacd/test_caps rbacd/test_handle rbacd/test_authz rbacd/test_sessions
LINK_rbacd/test_caps   := rbacd/caps.c
LINK_rbacd/test_handle := rbacd/handle.c
LIBS_rbacd/test_handle := -lcrypto
LINK_rbacd/test_authz  := rbacd/authz.c $(POLICY_SRC)
LIBS_rbacd/test_authz  := -lyaml -lcrypto
LINK_rbacd/test_sessions := rbacd/sessions.c $(STORE_SRC) $(POLICY_SRC)
LIBS_rbacd/test_sessions := -lyaml -lcrypto -lsqlite3
UNIT_TESTS += rbacd/test_privilege
LINK_rbacd/test_privilege := rbacd/privilege.c policy/diag.c
# ctl
UNIT_TESTS += rbacd/test_admin rbacd/test_hook detect/test_detect
LINK_rbacd/test_hook := rbacd/hook.c rbacd/hook_process.c rbacd/privilege.c rbacd/log.c policy/diag.c \
  rbacd/wire/client.c rbacd/wire/buf.c
LINK_detect/test_detect := rbacd/detect/detect.c rbacd/detect/window.c $(STORE_SRC) policy/diag.c
LIBS_detect/test_detect := -lsqlite3 -lcrypto
UNIT_TESTS += detect/test_widen
LINK_detect/test_widen := rbacd/detect/widen.c $(POLICY_SRC)
LIBS_detect/test_widen := -lyaml -lcrypto
LINK_rbacd/test_admin := $(MIGRATE_CALLS) $(CLOCK_SRC) rbacd/admin_factor.c $(KEYRING_SRC) $(RESEAL_SRC) rbacd/keys/rotation.c rbacd/keys/admin_keys.c rbacd/handle.c rbacd/admin.c rbacd/admin_people.c rbacd/admin_status.c rbacd/admin_policy.c \
  rbacd/admin_explain.c rbacd/admin_evidence.c rbacd/admin_directory.c rbacd/admin_report.c rbacd/admin_standing.c \
  rbacd/password/admin_password.c rbacd/password/ageing.c rbacd/standing.c rbacd/sessions.c rbacd/enrol/pending.c rbacd/log.c rbacd/ctl/out.c rbacd/ctl/text.c $(MFA_SRC) $(AUDIT_SRC) \
  $(STORE_SRC) $(POLICY_SRC) $(WIRE_SRC)
LIBS_rbacd/test_admin := -lyaml -lcrypto -lsqlite3 -loath
UNIT_TESTS += ctl/test_pin_text
LINK_ctl/test_pin_text := rbacd/ctl/pin_text.c $(POLICY_SRC)
LIBS_ctl/test_pin_text := -lyaml -lcrypto
UNIT_TESTS += ctl/test_tree ctl/test_out ctl/test_record enrol/test_qr
LINK_ctl/test_tree   := rbacd/ctl/commands_keys.c rbacd/ctl/commands_password.c rbacd/ctl/tree.c rbacd/ctl/help.c rbacd/ctl/complete.c \
  rbacd/ctl/text.c $(COMMANDS_SRC) policy/diag.c
LINK_ctl/test_out    := rbacd/ctl/out.c rbacd/ctl/text.c rbacd/wire/buf.c
LINK_ctl/test_record := rbacd/ctl/record.c rbacd/ctl/out.c rbacd/ctl/text.c rbacd/wire/buf.c
UNIT_TESTS += enrol/test_pending enrol/test_page mfa/test_draft
LINK_enrol/test_pending := rbacd/enrol/pending.c $(MFA_SRC) $(STORE_SRC) policy/diag.c rbacd/wire/code.c
LIBS_enrol/test_pending := -lsqlite3 -lcrypto -loath
LINK_enrol/test_page := rbacd/enrol/page.c rbacd/enrol/qr.c
LIBS_enrol/test_page := -lqrencode
LINK_mfa/test_draft := $(LINK_mfa/test_mfa)
LIBS_mfa/test_draft := $(LIBS_mfa/test_mfa)
LINK_enrol/test_qr   := rbacd/enrol/qr.c
LIBS_enrol/test_qr   := -lqrencode

# doctor
UNIT_TESTS += doctor/test_sshd_match
LINK_doctor/test_sshd_match := rbacd/doctor/sshd_match.c

# report
UNIT_TESTS += report/test_write
LINK_report/test_write := rbacd/report/report.c rbacd/report/write.c rbacd/report/write_text.c \
  rbacd/report/html.c rbacd/report/html_style.c rbacd/report/html_tools.c rbacd/report/svg.c \
  rbacd/ctl/text.c
LIBS_report/test_write := -lcrypto

define unit_rule
$(B)/tests/unit/$(1): $(B)/obj/tests/unit/$(1).o $$(call obj,$$(LINK_$(1)))
	@mkdir -p $$(@D)
	$$(call say,LD)$$(CC) $$(CFLAGS) $$(LDFLAGS) $$(LDHARD) -o $$@ $$(filter %.o,$$^) -lcmocka $$(LIBS_$(1))
endef
$(foreach t,$(UNIT_TESTS),$(eval $(call unit_rule,$(t))))

# property: random policies against a second evaluator, real matrices
PROPERTY_TESTS := $(addprefix $(B)/tests/property/,test_random test_hplabs)
$(B)/tests/property/test_random: $(call obj,$(addprefix tests/property/,test_random.c generate.c emit.c naive.c) $(POLICY_SRC))
$(B)/tests/property/test_hplabs: $(call obj,tests/property/test_hplabs.c $(POLICY_SRC))
$(PROPERTY_TESTS):
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) $(LDHARD) -o $@ $(filter %.o,$^) -lcmocka -lyaml -lcrypto

.PHONY: unit property
# A million requests take the release build; with the sanitizers a part of them do.
property: $(B)/tests/property/test_random
	@$<

unit: $(patsubst %,$(B)/tests/unit/%,$(UNIT_TESTS)) $(PROPERTY_TESTS)
	@tests/lib/run-unit $^

# ---------------------------------------------------------------- module tests
# The built module in a host process with a scripted daemon; root.
MT_LINK := tests/module/daemon.c tests/module/host.c rbacd/wire/buf.c rbacd/wire/msg.c \
  rbacd/wire/client.c rbacd/wire/code.c
MT_PROGS := $(B)/tests/module/test_module $(B)/tests/module/test_runtime \
  $(B)/tests/module/test_faults $(B)/tests/module/test_converse $(B)/tests/module/test_combined \
  $(B)/tests/module/test_password

define mt_rule
$(B)/tests/module/$(1): $$(call obj,tests/module/$(1).c $$(MT_LINK))
	@mkdir -p $$(@D)
	$$(call say,LD)$$(CC) $$(CFLAGS) $$(LDFLAGS) $$(LDHARD) -rdynamic -o $$@ $$^ -lcmocka -lpam -lpthread -ldl
endef
$(foreach t,$(notdir $(MT_PROGS)),$(eval $(call mt_rule,$(t))))

$(B)/tests/module/pam_stage.so: $(call obj,tests/module/pam_stage.c)
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) $(LDHARD) -shared -o $@ $^ -lpam

.PHONY: module-test
module-test: $(MODULE) $(B)/tests/module/pam_stage.so $(MT_PROGS)
	@tests/module/run $(B)

# The doctor: a corpus of set-ups, and its model of libpam against libpam itself.
$(B)/tests/property/test_pamwalk: $(call obj,tests/property/test_pamwalk.c rbacd/doctor/pamconf.c rbacd/doctor/pamwalk.c policy/diag.c)
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) $(LDHARD) -o $@ $^ -lpam
.PHONY: doctor-test
doctor-test: $(B)/rbacctl $(B)/tests/module/pam_stage.so $(B)/tests/property/test_pamwalk
	@tests/integration/doctor.py $(B)/rbacctl
	@$(B)/tests/property/test_pamwalk $(abspath $(B))/tests/module/pam_stage.so 5000

# Attempts to get out of the sandbox, each first without it.
$(B)/tests/faults/escape: $(call obj,tests/faults/escape.c $(SANDBOX_SRC) policy/diag.c)
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) $(LDHARD) -o $@ $^ $(call pkg_libs,$(SECCOMP))
$(B)/tests/faults/host_abuse: $(call obj,tests/faults/host_abuse.c)
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) $(LDHARD) -o $@ $^ -lpam
.PHONY: sandbox-test
sandbox-test: $(B)/tests/faults/escape
	@tests/lib/private sh -c 'ip link set lo up && exec $<'

# The manual pages against mandoc and against the code.
.PHONY: man-test
man-test: all
	@tests/integration/manpages.py $(B)/rbacctl $(B)/rbacd $(B)/rbacd-dir

.PHONY: clean
clean:
	rm -rf build

-include $(shell find build -path build/peers -prune -o -name '*.d' -type f -print 2>/dev/null)

# ---------------------------------------------------------------- lint
ALL_C = $(sort $(POLICY_SRC) $(WIRE_SRC) $(MODULE_SRC) $(STORE_SRC) $(AUDIT_SRC) $(MFA_SRC) \
  $(SNAPSHOT_SRC) $(QUALITY_SRC) $(BLOCKLIST_SRC) $(RBACD_SRC) $(DIR_SRC) $(CTL_SRC))

.PHONY: check-layers fmt-check lint tidy cppcheck analyze
check-layers:
	@tests/lib/check-layers

FMT_FILES = $(sort $(ALL_C) $(wildcard policy/*.h rbacd/*.h rbacd/*/*.h pam_vmsec/*.h \
  tests/*/*.[ch] tests/*/*/*.[ch]))
fmt-check:
	@clang-format --dry-run -Werror $(FMT_FILES) && echo "format: 1 passed, 0 failed"
.PHONY: fmt
fmt:
	clang-format -i $(FMT_FILES)

LINT_DEFS := -I. -D_GNU_SOURCE -DVMSEC_VERSION="0" -DVMSEC_RUNDIR="/run/rbacd" \
  -DVMSEC_STATEDIR="/var/lib/rbacd" -DVMSEC_SYSCONFDIR="/etc" -DVMSEC_DATADIR="/usr/share/vmsec"
tidy:
	@TIDY_FLAGS='-std=gnu17 $(CPPFLAGS) $(LINT_DEFS)' tests/lib/run-tidy $(ALL_C)

# cppcheck does not see __attribute__((cleanup)): leaks are the other tools' business.
cppcheck:
	@cppcheck --quiet --std=c11 --library=posix --library=bsd --inline-suppr \
	  --enable=warning,portability,performance --error-exitcode=1 --suppress=memleak \
	  --suppress=resourceLeak $(foreach d,$(LINT_DEFS),'$d') $(ALL_C) \
	  && echo "cppcheck: 1 passed, 0 failed"

# gcc's own path analysis; objects go to a variant of their own. At -O0, because what the
# optimiser moves confuses it. Left out: leaks, which gcc 12 sees in every pointer that is
# stored behind another (LeakSanitizer finds the real ones in the tests), and double-free
# in two files that empty a queue, because it does not follow TAILQ_REMOVE.
ANALYZE_QUEUES := rbacd/directory/nss.c rbacd/identity_lookup.c
$(patsubst %.c,build/analyze/obj/%.o,$(ANALYZE_QUEUES)): override CFLAGS += -Wno-analyzer-double-free
analyze:
	@$(MAKE) -s --no-print-directory -j2 VARIANT=analyze WERROR=-Werror \
	  HARD="-O0 -fanalyzer -Wno-analyzer-malloc-leak -fvisibility=hidden -fPIC" \
	  $(patsubst %.c,build/analyze/obj/%.o,$(ALL_C)) && echo "analyze: 1 passed, 0 failed"

lint: check-layers fmt-check cppcheck analyze tidy

# ---------------------------------------------------------------- fuzz
# fuzz_NAME.c is one libFuzzer target; FUZZ_LINK_NAME names the sources it links. The
# module's sources see the machine of tests/fuzz/kernel.c instead of libc's.
FUZZERS := wire policy config snapshot seal audit note module people print tz dn ldap password migrate
FUZZ_LINK_wire     := $(WIRE_SRC)
FUZZ_LINK_policy   := $(POLICY_SRC)
FUZZ_LINK_config   := $(CONFIG_SRC) policy/diag.c policy/yaml.c policy/yaml_get.c
FUZZ_LINK_snapshot := $(SNAPSHOT_SRC)
FUZZ_LINK_seal     := rbacd/store/seal.c policy/diag.c
MEMLOG     := tests/memlog/memlog.c rbacd/audit/record.c rbacd/audit/fields.c rbacd/audit/chain.c rbacd/audit/line.c \
  rbacd/audit/verify.c rbacd/audit/merkle.c rbacd/audit/note.c rbacd/audit/base.c \
  rbacd/audit/reader.c rbacd/audit/segment_list.c rbacd/store/seal.c policy/diag.c policy/reason.c
FUZZ_LINK_audit    := $(MEMLOG)
FUZZ_LINK_note     := $(addprefix rbacd/audit/,record.c fields.c chain.c line.c merkle.c note.c \
  base.c reader.c segment_list.c proof.c) tests/memlog/memlog.c rbacd/store/seal.c \
  policy/diag.c policy/reason.c
FUZZ_LINK_people   := rbacd/directory/file.c rbacd/directory/local.c $(SNAPSHOT_SRC) \
  policy/diag.c policy/yaml.c policy/yaml_get.c
FUZZ_LINK_print    := rbacd/ctl/record.c rbacd/ctl/out.c rbacd/ctl/text.c rbacd/wire/buf.c
FUZZ_LINK_migrate  := $(MIGRATE_SRC) rbacd/directory/dn.c rbacd/mfa/otpauth.c
FUZZ_LINK_tz       := policy/tz.c
FUZZ_LINK_dn       := rbacd/directory/dn.c rbacd/directory/ldap_filter.c
FUZZ_LINK_ldap     := $(LDAP_MAP_SRC) $(SNAPSHOT_SRC)
FUZZ_LINK_password := $(QUALITY_SRC) $(BLOCKLIST_SRC) $(POLICY_SRC)
FUZZ_LIBS_password  = $(LIBS_QUALITY) -lm
FUZZ_LINK_module   := tests/fuzz/kernel.c tests/fuzz/peer.c rbacd/wire/buf.c rbacd/wire/msg.c \
  rbacd/wire/code.c
FUZZED_MODULE      := $(MODULE_SRC) rbacd/wire/client.c
FUZZ_SECONDS ?= 20
FUZZ_LIBS := $(call pkg_libs,yaml-0.1 libcrypto)

$(B)/obj/fuzzed/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CPPFLAGS) $(CFLAGS) -include tests/fuzz/kernel.h -DKERNEL_RENAME -MMD -MP -c -o $@ $<

define fuzz_rule
$(B)/fuzz_$(1): $$(call obj,tests/fuzz/fuzz_$(1).c $$(FUZZ_LINK_$(1)))
	$$(call say,LD)$$(CC) $$(CFLAGS) -fsanitize=fuzzer -o $$@ $$(filter %.o,$$^) $$(FUZZ_LIBS) $$(FUZZ_LIBS_$(1))
endef
$(foreach f,$(FUZZERS),$(eval $(call fuzz_rule,$(f))))
$(B)/fuzz_module: $(patsubst %.c,$(B)/obj/fuzzed/%.o,$(FUZZED_MODULE))

.PHONY: fuzz fuzz-short fuzz-build fuzz-programs
fuzz-programs: $(patsubst %,$(B)/fuzz_%,$(FUZZERS))
fuzz-build:
	@$(MAKE) -s --no-print-directory -j2 VARIANT=fuzz WERROR=$(WERROR) fuzz-programs
# Each for FUZZ_SECONDS, two at a time. Open-ended: make fuzz FUZZ_SECONDS=3600
fuzz fuzz-short: fuzz-build
	@tests/lib/run-fuzz $(FUZZ_SECONDS) $(FUZZERS)

# ---------------------------------------------------------------- install, demo, check
# Debian 12 packages: what the programs need, then what the tests need.
DEPS_BUILD := gcc make pkg-config libc6-dev libpam0g-dev libldap-dev liboath-dev libyaml-dev libssl-dev \
  libsqlite3-dev libevent-dev libqrencode-dev libseccomp-dev libpwquality-dev libcrack2-dev \
  libutf8proc-dev cracklib-runtime 'python3-zxcvbn|libdata-password-zxcvbn-perl'
DEPS_DEMO  := openssh-server openssh-client sudo login util-linux openssl oathtool python3 \
  python3-pexpect iproute2 pamtester passwd sqlite3 slapd ldap-utils libnss-extrausers
DEPS_TEST  := clang libclang-rt-14-dev libcmocka-dev strace zbar-tools putty-tools clang-format clang-tidy cppcheck \
  valgrind mandoc tzdata python3-jsonschema python3-yaml chromium chromium-driver poppler-utils \
  libpam-google-authenticator libpam-oath swtpm libtss2-tcti-swtpm0 systemd
.PHONY: deps deps-build deps-demo
deps-build:
	@tests/lib/deps $(DEPS_BUILD)
deps:
	@tests/lib/deps $(DEPS_BUILD) $(DEPS_DEMO) $(DEPS_TEST)
deps-demo:
	@tests/lib/deps $(DEPS_BUILD) $(DEPS_DEMO)

# Helpers of the tests: never sanitized, never installed.
TEST_TOOLS := build/tests/clockshim.so build/tests/diskshim.so build/tests/failshim.so build/tests/phases build/tests/race
TEST_CFLAGS := -std=gnu17 -D_GNU_SOURCE -O2 -g $(WARN) $(WERROR)
.PHONY: test-tools
test-tools: $(TEST_TOOLS)
build/tests/clockshim.so: tests/lib/clockshim.c
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(TEST_CFLAGS) -fPIC -shared -fvisibility=hidden -o $@ $<
build/tests/diskshim.so: tests/lib/diskshim.c
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(TEST_CFLAGS) -fPIC -shared -fvisibility=hidden -o $@ $<
build/tests/failshim.so: tests/lib/failshim.c
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(TEST_CFLAGS) -fPIC -shared -fvisibility=hidden -o $@ $<
build/tests/unsandbox.so: tests/lib/unsandbox.c
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(TEST_CFLAGS) -fPIC -shared -fvisibility=hidden -o $@ $<
# A FIDO key in software, for ssh.
TEST_TOOLS += build/tests/softkey.so
test-tools: build/tests/softkey.so
build/tests/softkey.so: tests/lib/softkey.c
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(TEST_CFLAGS) -fPIC -shared -fvisibility=hidden -o $@ $< -lcrypto
build/tests/phases: tests/integration/phases.c
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(TEST_CFLAGS) -o $@ $< -lpam
build/tests/race: tests/integration/race.c
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(TEST_CFLAGS) -pthread -o $@ $< -lpam -loath

BINDIR  ?= $(PREFIX)/bin
SBINDIR ?= $(PREFIX)/sbin
MANDIR  ?= $(PREFIX)/share/man
DOCDIR  ?= $(PREFIX)/share/doc/vmsec
DATADIR ?= $(PREFIX)/share/vmsec
UNITDIR ?= $(PREFIX)/lib/systemd/system
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
TMPFILESDIR ?= $(PREFIX)/lib/tmpfiles.d
BASHCOMPDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPDIR  ?= $(PREFIX)/share/zsh/vendor-completions
UNITS := rbacd.target rbacd.service rbacd-dir.service rbacd-snapshot.service rbacd-snapshot.timer \
  rbacd-pam.socket rbacd-admin.socket rbacd-user.socket rbacd-directory.socket
# $(call install_filled,SOURCE,TARGET): with the folders of this installation.
install_filled = sed -e 's|@BINDIR@|$(BINDIR)|g' -e 's|@SBINDIR@|$(SBINDIR)|g' -e 's|@RUNDIR@|$(RUNDIR)|g' \
  -e 's|@STATEDIR@|$(STATEDIR)|g' -e 's|@SYSCONFDIR@|$(SYSCONFDIR)|g' rbacd/dist/systemd/$(1) >$(DESTDIR)$(2) && \
  chmod 0644 $(DESTDIR)$(2)
.PHONY: install uninstall
install: all
	install -d $(addprefix $(DESTDIR),$(PAMDIR) $(BINDIR) $(SBINDIR) $(DOCDIR)/pam.d $(DATADIR)/examples $(UNITDIR) \
	  $(SYSUSERSDIR) $(TMPFILESDIR) $(BASHCOMPDIR) $(ZSHCOMPDIR) $(SYSCONFDIR)/rbacd/policy.d)
	install -m 0644 $(MODULE) $(DESTDIR)$(PAMDIR)/.pam_vmsec.so.new
	mv -f $(DESTDIR)$(PAMDIR)/.pam_vmsec.so.new $(DESTDIR)$(PAMDIR)/pam_vmsec.so
	install -m 0755 $(B)/rbacd $(B)/rbacd-dir $(DESTDIR)$(SBINDIR)
	install -m 0755 $(B)/rbacctl $(DESTDIR)$(BINDIR)
	install -m 0644 pam_vmsec/dist/* $(DESTDIR)$(DOCDIR)/pam.d
	install -m 0644 README.md $(wildcard docs/guide/*.md) $(DESTDIR)$(DOCDIR)
	install -m 0644 docs/policy.schema.json docs/report.schema.json $(DESTDIR)$(DATADIR)
	install -m 0644 $(wildcard policy/examples/*.yaml) $(DESTDIR)$(DATADIR)/examples
	install -m 0755 rbacd/dist/common-passwords $(DESTDIR)$(DATADIR)
	test -e $(DESTDIR)$(SYSCONFDIR)/rbacd/rbacd.yaml || \
	  install -m 0644 rbacd/dist/rbacd.yaml $(DESTDIR)$(SYSCONFDIR)/rbacd/rbacd.yaml
	$(foreach u,$(UNITS),$(call install_filled,$(u),$(UNITDIR)/$(u)) &&) true
	$(call install_filled,sysusers.conf,$(SYSUSERSDIR)/rbacd.conf)
	$(call install_filled,tmpfiles.conf,$(TMPFILESDIR)/rbacd.conf)
	$(B)/rbacctl completion bash >$(DESTDIR)$(BASHCOMPDIR)/rbacctl
	$(B)/rbacctl completion zsh >$(DESTDIR)$(ZSHCOMPDIR)/_rbacctl
	chmod 0644 $(DESTDIR)$(BASHCOMPDIR)/rbacctl $(DESTDIR)$(ZSHCOMPDIR)/_rbacctl
	for m in $(wildcard docs/man/*.[1-8]); do \
	  install -D -m 0644 $$m $(DESTDIR)$(MANDIR)/man$${m##*.}/$${m##*/} || exit 1; done
# On this machine, not into a package: the list of common passwords, unless there is one.
	test -n '$(DESTDIR)' || test ! -d $(STATEDIR) || $(BINDIR)/rbacctl blocklist info >/dev/null 2>&1 || \
	  $(DATADIR)/common-passwords | $(BINDIR)/rbacctl blocklist build

# Configuration, policy, key, database and accounts stay. Refused while a PAM file names the
# module: without it every login there fails.
uninstall:
	@! grep -ls pam_vmsec $(DESTDIR)$(SYSCONFDIR)/pam.d/* || \
	  { echo 'these files still name pam_vmsec: restore them first' >&2; exit 1; }
	rm -f $(DESTDIR)$(PAMDIR)/pam_vmsec.so $(DESTDIR)$(SBINDIR)/rbacd \
	  $(DESTDIR)$(SBINDIR)/rbacd-dir $(DESTDIR)$(BINDIR)/rbacctl \
	  $(addprefix $(DESTDIR)$(UNITDIR)/,$(UNITS)) \
	  $(DESTDIR)$(SYSUSERSDIR)/rbacd.conf $(DESTDIR)$(TMPFILESDIR)/rbacd.conf \
	  $(DESTDIR)$(BASHCOMPDIR)/rbacctl $(DESTDIR)$(ZSHCOMPDIR)/_rbacctl
	for m in $(wildcard docs/man/*.[1-8]); do \
	  rm -f $(DESTDIR)$(MANDIR)/man$${m##*.}/$${m##*/} || exit 1; done
	rm -rf $(DESTDIR)$(DOCDIR) $(DESTDIR)$(DATADIR)

# A Debian package of the last commit, in build/deb. Two of them are the same, byte for byte.
.PHONY: deb
deb:
	@tests/lib/deps debhelper fakeroot
	@rm -rf build/deb && mkdir -p build/deb/vmsec-$(VERSION)
	@git archive HEAD | tar -x -C build/deb/vmsec-$(VERSION)
	@cp -r rbacd/dist/deb build/deb/vmsec-$(VERSION)/debian
	@cd build/deb/vmsec-$(VERSION) && env -u MAKEFLAGS -u MAKELEVEL dpkg-buildpackage -b -us -uc >../build.log 2>&1 || \
	  { tail -n 30 ../build.log; exit 1; }
	@ls build/deb/*.deb
# The same for Fedora and RHEL, as far as Debian's rpm goes: what it needs is not looked up.
RPMBUILD = rpmbuild --quiet -bb --nodeps -D '_topdir $(CURDIR)/build/rpm' -D '_build_id_links none' \
  -D 'debug_package %{nil}' -D '_unitdir $(UNITDIR)' \
  -D '_sysusersdir $(SYSUSERSDIR)' -D '_tmpfilesdir $(TMPFILESDIR)' rbacd/dist/rpm/vmsec.spec
.PHONY: rpm rpm-test
rpm:
	@tests/lib/deps rpm
	@rm -rf build/rpm && mkdir -p build/rpm/SOURCES
	@git archive --prefix=vmsec-$(VERSION)/ -o build/rpm/SOURCES/vmsec-$(VERSION).tar.gz HEAD
	@env -u MAKEFLAGS -u MAKELEVEL $(RPMBUILD) >build/rpm/build.log 2>&1 || \
	  { tail -n 30 build/rpm/build.log; exit 1; }
	@ls build/rpm/RPMS/*/*.rpm
rpm-test:
	@tests/integration/rpm.sh
# On a fresh Debian of its own: install, upgrade, remove, killed in between. Needs a mirror.
.PHONY: deb-test systemd-test distro-test
deb-test:
	@tests/integration/deb.sh
# Built and booted on other systems: make distro-test SUITES="trixie noble"
SUITES ?= trixie noble
distro-test:
	@tests/integration/distro.sh $(SUITES)
# Units, sockets, stops, a reboot: on a copy of this host's files that systemd boots.
systemd-test: all
	@tests/integration/systemd.py || [ $$? -eq 77 ]

.PHONY: demo
# KEEP=1 leaves everything running and prints the commands to try by hand.
demo: deps-demo
	@$(MAKE) -s --no-print-directory all test-tools
	@KEEP=$(KEEP) tests/integration/demo.sh

# The schema and the loader over one corpus; the examples; hours beside Python's calendar;
# a real operator's access; what is made to hurt the loader.
.PHONY: policy-test
policy-test: $(B)/rbacctl
	@tests/policy/check_schema.py $(B)/rbacctl || [ $$? -eq 77 ]
	@tests/policy/check_examples.py $(B)/rbacctl || [ $$? -eq 77 ]
	@tests/policy/check_time.py $(B)/rbacctl
	@tests/policy/check_wikimedia.py $(B)/rbacctl || [ $$? -eq 77 ]
	@tests/policy/check_tools.py $(B)/rbacctl
	@tests/policy/check_passwords.py $(B)/rbacctl
	@tests/policy/check_hostile.py $(B)/rbacctl

.PHONY: check integration race
check: deps
	@MAKE="$(MAKE)" tests/lib/run-check

integration: all test-tools
	@tests/integration/run-all $(VARIANT)

# The long run: 62,500 trials of 16 parallel logins with one code.
race: all test-tools
	@tests/integration/race.py $(VARIANT) long

# ---------------------------------------------------------------- benchmarks, faults
BENCH_COMMON := tests/bench/measure.c
BENCH_PEOPLE := $(BENCH_COMMON) tests/bench/people.c
BENCH_RAW    := $(BENCH_PEOPLE) tests/bench/rawclient.c $(WIRE_SRC)
BENCH_TOOLS  := $(addprefix $(B)/tests/bench/,floor bench_policy logsink bench_pam bench_load \
  enrol_people)
.PHONY: bench-tools bench bench-peers
bench-tools: $(BENCH_TOOLS)
define bench_rule
$(B)/tests/bench/$(1): $$(call obj,tests/bench/$(1).c $(2))
	@mkdir -p $$(@D)
	$$(call say,LD)$$(CC) $$(CFLAGS) $$(LDFLAGS) $$(LDHARD) -o $$@ $$^ $(3)
endef
$(eval $(call bench_rule,floor,$(BENCH_COMMON),))
$(eval $(call bench_rule,logsink,$(BENCH_COMMON),))
$(eval $(call bench_rule,bench_pam,tests/bench/transaction.c $(BENCH_PEOPLE),-lpam -loath))
$(eval $(call bench_rule,bench_load,$(BENCH_RAW),-loath))
# SSSD's decision library is a peer where it is installed (libipa-hbac-dev).
HAVE_HBAC := $(shell pkg-config --exists ipa_hbac 2>/dev/null && echo yes)
BENCH_HBAC := tests/bench/peer_hbac$(if $(HAVE_HBAC),,_none).c
$(eval $(call bench_rule,bench_policy,$(addprefix tests/bench/policy_,data.c floor.c) $(BENCH_HBAC) \
  $(POLICY_SRC),$(call pkg_libs,$(PKGS_POLICY)$(if $(HAVE_HBAC), ipa_hbac))))
$(eval $(call bench_rule,enrol_people,$(BENCH_COMMON) $(MFA_SRC) $(STORE_SRC) \
  rbacd/wire/code.c policy/diag.c,$(call pkg_libs,liboath libcrypto sqlite3)))

$(eval $(call bench_rule,bench_audit,$(AUDIT_SRC) $(STORE_SRC) policy/diag.c policy/reason.c,\
  $(call pkg_libs,libcrypto sqlite3)))
# Appending, verifying and reading the audit log, beside the same without the chain.
.PHONY: bench-audit
bench-audit: $(B)/tests/bench/bench_audit
	@d=$$(mktemp -d -p $(CURDIR)/build) && $< $$d; rm -rf $$d

$(eval $(call bench_rule,bench_password,$(BENCH_COMMON) $(QUALITY_SRC) $(BLOCKLIST_SRC) $(POLICY_SRC),\
  $(LIBS_QUALITY) -lyaml -lm))
# Candidates beside libpwquality alone; a blocklist of 10 million entries, half a minute.
.PHONY: bench-password
bench-password: $(B)/tests/bench/bench_password
	@d=$$(mktemp -d -p $(CURDIR)/build) && $< $$d; rm -rf $$d

FAULT_TOOLS := $(addprefix $(B)/tests/faults/,probe flood timing soak compare host_abuse)
define fault_rule
$(B)/tests/faults/$(1): $$(call obj,tests/faults/$(1).c $(2))
	@mkdir -p $$(@D)
	$$(call say,LD)$$(CC) $$(CFLAGS) $$(LDFLAGS) $$(LDHARD) -o $$@ $$^ $(3)
endef
$(eval $(call fault_rule,probe,$(BENCH_RAW),-loath))
$(eval $(call fault_rule,flood,$(BENCH_RAW),-loath))
$(eval $(call fault_rule,timing,$(BENCH_COMMON) tests/bench/welch.c tests/bench/transaction.c,-lpam -lm))
$(eval $(call fault_rule,compare,$(BENCH_COMMON) tests/bench/welch.c rbacd/mfa/otp.c rbacd/store/seal.c \
  policy/diag.c,-loath -lcrypto -lm))
$(eval $(call fault_rule,soak,$(BENCH_PEOPLE) tests/bench/transaction.c,-lpam -loath))
$(B)/tests/faults/tamper: $(call obj,tests/faults/tamper.c $(MEMLOG))
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) $(LDHARD) -o $@ $^ -lcrypto
# 1,000,000 random edits of a signed log; `unit` runs a sample.
.PHONY: tamper
tamper: $(B)/tests/faults/tamper
	@$< 1000000
FAULTS := crash rotate enrol_kill flood swap restart kills powerloss host_abuse timing soak abuse memory halves
# The module as shipped in a real sshd; leaky.so is the proof that valgrind would see.
$(B)/tests/faults/leaky.so: $(call obj,tests/faults/leaky.c)
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) -shared -o $@ $^
.PHONY: valgrind
valgrind: all test-tools build/tests/unsandbox.so $(B)/tests/faults/leaky.so
	@tests/faults/valgrind.py $(VARIANT)

# 1,000 connections to a lying directory, about 10 minutes.
.PHONY: ldap-hostile bench-ldap
ldap-hostile: all test-tools
	@tests/faults/ldap_hostile.py $(VARIANT) long
# A real 389 Directory Server, a real Samba domain controller. Their packages pull in much,
# so `deps` leaves them out; without them the tests say what to install.
.PHONY: ldap-389 ldap-samba
ldap-389 ldap-samba: all test-tools
	@tests/integration/$(subst -,_,$@).py $(VARIANT)
# From a change in the directory to the decision, with 10 and 100,000 people.
bench-ldap: all test-tools
	@tests/bench/bench_ldap.py $(VARIANT)

# Enrolment and combined entry in real logins; `integration` runs most of it.
.PHONY: enrol-test
enrol-test: all test-tools
	@tests/integration/enrol.py $(VARIANT) long
# Over a real sshd: 200 refusals of each kind, ten minutes.
.PHONY: ssh-timing
ssh-timing: all test-tools
	@tests/faults/ssh_timing.py $(VARIANT)

.PHONY: fault-tools faults $(FAULTS)
fault-tools: $(FAULT_TOOLS)
# Long runs; `faults` is a short sample of each.
$(FAULTS): all test-tools bench-tools fault-tools
	@tests/faults/$@.py $(VARIANT) long
faults: all test-tools bench-tools fault-tools
	@bad=0; for f in $(FAULTS) ldap_hostile; do tests/faults/$$f.py $(VARIANT) || bad=1; done; exit $$bad

# A seeded log and snapshots for the tests of the reports.
$(B)/tests/report/world: $(call obj,tests/report/world.c rbacd/report/state.c rbacd/report/state_make.c \
  rbacd/report/index.c rbacd/tally/people.c rbacd/ctl/record.c rbacd/ctl/out.c rbacd/ctl/text.c \
  rbacd/groups.c rbacd/directory/file.c rbacd/directory/local.c rbacd/wire/buf.c \
  $(SNAPSHOT_SRC) $(AUDIT_SRC) $(STORE_SRC) $(POLICY_SRC))
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(CFLAGS) $(LDFLAGS) $(LDHARD) -o $@ $^ $(call pkg_libs,$(PKGS_RBACD))

.PHONY: report-test report-memory bench-year
# Every allocation of every report and format in turn; report-test tries a part.
report-memory: all test-tools $(B)/tests/report/world
	@tests/report/check_memory.py $(VARIANT) long
bench-year: all $(B)/tests/report/world
	@tests/bench/bench_year.py $(VARIANT)
report-test: all test-tools $(B)/tests/report/world
	@tests/report/check_edges.py $(VARIANT)
	@tests/report/check_memory.py $(VARIANT)
	@tests/report/check_reports.py $(VARIANT)
	@tests/policy/check_replay.py $(B)

# Peers that must not be installed on a host: only unpacked, SSSD into a Debian of its own. SSSD's library is a package.
bench-peers:
	@mkdir -p build/peers
	cd build/peers && apt-get download -q libpam-ldapd && dpkg -x libpam-ldapd_*.deb .
	[ -e build/peers/root/usr/sbin/sssd ] || debootstrap --variant=minbase \
	  --include=sssd-ldap,libpam-sss,libnss-sss bookworm build/peers/root || \
	  echo "SSSD: skipped, debootstrap is missing or failed"
	cd build/peers && { npm install --no-save --no-audit --no-fund --ignore-scripts \
	  casbin@5 @cedar-policy/cedar-wasm@4 || echo "casbin, cedar: skipped, npm gives nothing"; }

# Passwords that a directory keeps, by pam_ldap and pam_sss; root, and bench-peers before.
.PHONY: passwords-peers bench-change
passwords-peers: all test-tools
	@tests/integration/passwords_peers.py $(VARIANT)

# Logins while 100 people change their passwords.
bench-change: all test-tools bench-tools
	@tests/bench/bench_change.py $(VARIANT)

# Ours beside its floors and peers, as ratios of one run; reports, never fails on time.
bench: all test-tools bench-tools fault-tools $(B)/tests/property/test_hplabs
	@tests/bench/bench.py $(VARIANT) $(BENCH)
	@$(if $(BENCH),,$(B)/tests/property/test_hplabs all)

.PHONY: help
help:
	@echo 'make             build the module, rbacd, rbacd-dir and rbacctl (VARIANT=release)'
	@echo 'make demo        watch real logins be decided, in a private world (root; KEEP=1 stays)'
	@echo 'make check       all tests, under 15 minutes (root)'
	@echo 'make deps-build  install the Debian packages for building (root)'
	@echo 'make deps        those and what demo, tests and lint need (root)'
	@echo 'make install     DESTDIR= PREFIX=/usr PAMDIR= are honoured; uninstall takes it back'
	@echo 'make property    a million random requests against the second evaluator'
	@echo 'make unit        unit tests only; VARIANT=asan for the sanitizers'
	@echo 'make policy-test schema, examples, hours, a real policy, hostile ones'
	@echo 'make integration the real programs against the build; race: the long run'
	@echo 'make faults      crashes, floods, swaps, timing, soak: samples; crash, flood ... : long'
	@echo 'make enrol-test  a first factor made in real logins: every client and way out'
	@echo 'make ssh-timing  200 refusals of each kind over a real sshd: medians within 10 ms'
	@echo 'make bench       ours beside floors and peers (bench-peers unpacks one more peer)'
	@echo 'make bench-audit appending, verifying and reading the audit log'
	@echo 'make bench-password  new passwords and the blocklist, beside libpwquality'
	@echo 'make bench-change logins while 100 people change their passwords'
	@echo 'make passwords-peers passwords of a directory, by pam_ldap and pam_sss (bench-peers first)'
	@echo 'make bench-year  every report over a year of 10,000 decisions a day (4 GB, minutes)'
	@echo 'make deb, rpm    packages; deb-test, rpm-test: reproducible, clean, killed in between (root)'
	@echo 'make distro-test   built and booted on Debian 13 and Ubuntu 24.04 (root, mirrors)'
	@echo 'make systemd-test  the units on a machine that systemd has booted (root, cgroup v2)'
	@echo 'make sandbox-test  44 ways out of the sandbox, tried from inside; man-test: pages and code'
	@echo 'make restart, kills  logins over restarts; 10,000 kill -9, histories against the log'
	@echo 'make lint        layers, format, static analysis; fuzz: open-ended fuzzing'
	@echo 'make tamper      1,000,000 random edits of a signed log, each found and named'
	@echo 'make ldap-hostile  1,000 runs against a lying directory; bench-ldap: how soon, how big'
	@echo 'make ldap-389    against a real 389 Directory Server; ldap-samba: a Samba AD controller'
	@echo 'make report-test reports counted again by other code, pages in a real browser'
	@echo 'make report-memory  one allocation after the other fails while a report is made'
	@echo 'make valgrind    the module in a real sshd under valgrind (root)'
	@echo 'make clean       remove build/'
