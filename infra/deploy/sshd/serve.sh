#!/usr/bin/env bash
# Starts the SFTP server in the foreground: makes host keys where there are none, and the accounts again.
set -euo pipefail
config=$(dirname "$(readlink -f "$0")")/sshd_config
host=/etc/curbstop-sftp/host

mkdir -p "$host" /run/sshd
for type in ed25519 rsa; do
  key=$host/ssh_host_${type}_key
  [ -f "$key" ] || ssh-keygen -q -t "$type" -b 3072 -N '' -C curbstop-sftp -f "$key"
  ssh-keygen -l -f "$key"
done
# In a container accounts live as long as it does; keys and folders lie in volumes.
group=${SFTP_GROUP:-curbstop}
if [ -n "${SFTP_GROUP_GID:-}" ] && ! getent group "$group" >/dev/null; then
  groupadd --gid "$SFTP_GROUP_GID" "$group"
fi
"$(dirname "$config")/utility.sh" restore
/usr/sbin/sshd -t -f "$config"
exec /usr/sbin/sshd -D -e -f "$config"
