#!/usr/bin/env bash
# What the tests of returned mail need: Postfix, and a certificate for it. Installed as root on Debian and its kin; no server is left running.
set -euo pipefail

[ -x /usr/sbin/postfix ] && [ -x /usr/bin/openssl ] && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "install-postfix.sh: needs postfix and openssl; install them and run this again." >&2
  exit 1
fi
# A policy of our own forbids the package to start its server, and goes again; one that was there stays.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi
apt-get update -qq
echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postfix openssl
# Nor at the next start of the machine: the tests start a server of their own.
if command -v systemctl >/dev/null; then systemctl disable postfix.service >/dev/null 2>&1 || true; fi
echo "install-postfix.sh: postfix $(/usr/sbin/postconf -d -h mail_version) is installed"
