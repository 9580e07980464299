#!/usr/bin/env bash
# What the tests of SFTP need: OpenSSH's server and client. Installed as root on Debian and its kin; no server is left running.
set -euo pipefail

has_all() { [ -x /usr/sbin/sshd ] && command -v ssh sftp ssh-keygen useradd >/dev/null; }

has_all && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "install-sshd.sh: needs openssh-server and openssh-client; install them and run it again." >&2
  exit 1
fi
. "$(dirname "$0")/quiet-install.sh"
quiet_install openssh-server openssh-client passwd
# Nor at the next start of the machine: the tests start a server of their own.
if command -v systemctl >/dev/null; then systemctl disable ssh.service ssh.socket >/dev/null 2>&1 || true; fi
echo "install-sshd.sh: $(/usr/sbin/sshd -V 2>&1 | grep -m 1 OpenSSH || echo OpenSSH) is installed"
