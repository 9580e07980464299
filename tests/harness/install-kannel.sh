#!/usr/bin/env bash
# What the test of our message centre needs: Kannel, an SMPP client that others wrote. Installed as root on Debian and its kin; no server is left running.
set -euo pipefail

[ -x /usr/sbin/bearerbox ] && [ -x /usr/sbin/smsbox ] && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "install-kannel.sh: needs kannel; install it and run this again." >&2
  exit 1
fi
. "$(dirname "$0")/quiet-install.sh"
quiet_install kannel
if command -v systemctl >/dev/null; then systemctl disable kannel.service >/dev/null 2>&1 || true; fi
echo "install-kannel.sh: $(/usr/sbin/bearerbox --version 2>&1 | grep -m1 -i version || echo kannel) is installed"
