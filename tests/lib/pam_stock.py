# SPDX-License-Identifier: Apache-2.0
"""PAM files in the shape of Debian 12's own, before anybody has touched them."""

STOCK = {
    "sshd": "@include common-auth\naccount    required     pam_nologin.so\n"
            "@include common-account\nsession    required     pam_loginuid.so\n"
            "session    optional     pam_keyinit.so force revoke\n@include common-session\n"
            "@include common-password\n",
    "login": "auth       optional   pam_faildelay.so  delay=100000\n"
             "auth       requisite  pam_nologin.so\nsession    required     pam_loginuid.so\n"
             "@include common-auth\nauth       optional   pam_group.so\n"
             "session    required   pam_limits.so\n@include common-account\n"
             "@include common-session\n@include common-password\n",
    "sudo": "session    required   pam_limits.so\n\n@include common-auth\n"
            "@include common-account\n@include common-session-noninteractive\n",
    "su": "auth       sufficient pam_rootok.so\nsession    optional   pam_mail.so nopen\n"
          "@include common-auth\n@include common-account\n@include common-session\n",
    "cockpit": "auth required pam_sepermit.so\n@include common-auth\naccount required "
               "pam_nologin.so\n@include common-account\nsession required pam_loginuid.so\n"
               "@include common-session\n",
    "gdm-password": "auth    requisite       pam_nologin.so\nauth\trequired\tpam_succeed_if.so "
                    "user != root quiet_success\n@include common-auth\nauth    optional        "
                    "pam_gnome_keyring.so\n@include common-account\nsession required        "
                    "pam_loginuid.so\n@include common-session\n@include common-password\n"}
