#!/usr/bin/env bash
# What the tests of returned mail need: Postfix, and a certificate for it. Installed as root on Debian and its kin; no server is left running.
set -euo pipefail

[ -x /usr/sbin/postfix ] && [ -x /usr/bin/openssl ] && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "install-postfix.sh: needs postfix and openssl; install them and run this again." >&2
  exit 1
fi
. "$(dirname "$0")/quiet-install.sh"
echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
quiet_install postfix openssl
# Nor at the next start of the machine: the tests start a server of their own.
if command -v systemctl >/dev/null; then systemctl disable postfix.service >/dev/null 2>&1 || true; fi
echo "install-postfix.sh: postfix $(/usr/sbin/postconf -d -h mail_version) is installed"
