#!/usr/bin/env bash
# Accounts for utilities that drop their files by SFTP. Run as root; running a command again changes nothing.
#
#   utility.sh add NAME KEYFILE SOURCE...     make the account NAME, its folders and its keys, or bring them up to date
#   utility.sh remove NAME [--delete-files]   end the account; its files stay unless their deletion is asked for
#   utility.sh list                           accounts, their keys, their folders and how many files lie there
#   utility.sh restore                        make accounts again from keys and folders, on a new machine or container
#
# Variables: SFTP_ROOT   chroots, one below it for each account    (/srv/curbstop-sftp)
#            SFTP_KEYS   public keys, one file for each account    (/etc/curbstop-sftp/keys)
#            SFTP_GROUP  group of the process that takes the files (curbstop)
set -euo pipefail
export LC_ALL=C

root=${SFTP_ROOT:-/srv/curbstop-sftp}
keys=${SFTP_KEYS:-/etc/curbstop-sftp/keys}
takers=${SFTP_GROUP:-curbstop}
# As AllowGroups in sshd_config.
senders=curbstop-sftp

say() { echo "utility.sh: $*"; }
fail() {
  echo "utility.sh: $*" >&2
  exit 2
}
usage() { fail "usage: utility.sh add NAME KEYFILE SOURCE... | remove NAME [--delete-files] | list | restore"; }

check_name() {
  [[ "$2" =~ ^[a-z][a-z0-9-]{0,30}$ ]] ||
    fail "$1 \"$2\" is not right: 1 to 31 of a-z, 0-9 and -, beginning with a letter."
}

is_account() { id -nG "$1" 2>/dev/null | tr ' ' '\n' | grep -qx "$senders"; }

# Every folder down to the chroot must belong to root and be closed to others' writing, or sshd refuses the login.
check_path() {
  local at=$1
  while :; do
    if [ -e "$at" ]; then
      [ "$(stat -c %u "$at")" = 0 ] || fail "$at must belong to root: sshd refuses the login otherwise."
      (($(stat -c '0%a' "$at") & 022)) && fail "$at can be written by its group or others: sshd refuses the login. chmod go-w $at"
    fi
    [ "$at" = / ] && return
    at=$(dirname "$at")
  done
}

make_group() {
  getent group "$1" >/dev/null && return
  groupadd --system "$1"
  say "made group $1"
}

# Public keys as "restrict TYPE BASE64", one a line; the options and comments of the file are left out.
read_keys() {
  local line type body rest count=0
  while IFS= read -r line || [ -n "$line" ]; do
    case "$line" in
    '' | '#'*) continue ;;
    *'PRIVATE KEY'*) fail "$1 holds a private key. Ask the utility for the public one, and for a new pair." ;;
    esac
    read -r type body rest <<<"${line#restrict }"
    [[ "$type" =~ ^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-[a-z0-9@.-]+)$ ]] ||
      fail "$1 has a line that is no public key: expected ssh-ed25519, ssh-rsa or ecdsa-sha2-… and the key, without options."
    ssh-keygen -l -f /dev/stdin <<<"$type $body" >/dev/null 2>&1 || fail "$1 has a public key that is damaged."
    echo "restrict $type $body"
    count=$((count + 1))
  done <"$1"
  [ "$count" -gt 0 ] || fail "$1 holds no public key."
}

# Sets owner and mode only where they differ, so that the second run says nothing.
own() {
  local path=$1 owner=$2 mode=$3
  [ "$(stat -c %U:%G "$path")" = "$owner" ] || { chown "$owner" "$path" && say "$path: owner $owner"; }
  [ "$(stat -c %a "$path")" = "$mode" ] || { chmod "$mode" "$path" && say "$path: mode $mode"; }
}

folder() {
  [ -L "$1" ] && fail "$1 is a link. Remove it first."
  [ -d "$1" ] || { mkdir "$1" && say "made $1"; }
  own "$@"
}

add() {
  [ $# -ge 3 ] || usage
  local name=$1 file=$2 source fresh uid='' former=''
  shift 2
  check_name account "$name"
  for source in "$@"; do check_name source "$source"; done
  [ -r "$file" ] && [ ! -d "$file" ] || fail "key file $file is not there."
  fresh=$(read_keys "$file")
  if id "$name" >/dev/null 2>&1 && ! is_account "$name"; then
    fail "\"$name\" is an account of this machine that is not for SFTP. Choose another name."
  fi
  make_group "$takers"
  make_group "$senders"
  mkdir -p "$root" "$keys"
  check_path "$root"
  check_path "$keys"

  if ! id "$name" >/dev/null 2>&1; then
    # The number that its folders have from before, so that files keep their owner; another account may have it by now.
    uid=$(stat -c %u "$root/$name"/*/ 2>/dev/null | head -n 1 || true)
    if [ -n "$uid" ] && getent passwd "$uid" >/dev/null; then former=$uid uid=''; fi
    useradd --system ${uid:+--uid "$uid"} --gid "$senders" --home-dir / --no-create-home \
      --shell /usr/sbin/nologin --comment "SFTP drop of Curbstop" "$name"
    # "!" would lock the account for keys as well; "*" is a password that nobody has.
    usermod --password '*' "$name"
    say "made account $name"
  fi
  folder "$root/$name" root:root 755
  # The group bit on the folder hands its group on to every file below.
  for source in "$@"; do folder "$root/$name/$source" "$name:$takers" 2770; done
  if [ -n "$former" ]; then
    find "$root/$name" -mindepth 2 -uid "$former" -exec chown --no-dereference "$name" {} +
    say "files of $name: owner $name, because number $former is another account's now"
  fi

  if [ ! -f "$keys/$name" ] || [ "$(cat "$keys/$name")" != "$fresh" ]; then
    (umask 022 && echo "$fresh" >"$keys/.$name.new")
    mv "$keys/.$name.new" "$keys/$name"
    say "keys of $name: $(wc -l <"$keys/$name")"
  fi
  say "$name can upload to: $*"
}

# Sessions that are open outlive the key: they end here.
end_sessions() {
  local pids
  for signal in TERM KILL; do
    pids=$(pgrep -u "$1" || true)
    [ -n "$pids" ] || return 0
    # shellcheck disable=SC2086
    kill -s "$signal" $pids 2>/dev/null || true
    for _ in 1 2 3 4 5 6 7 8 9 10; do
      pgrep -u "$1" >/dev/null || return 0
      sleep 0.2
    done
  done
}

remove() {
  local name='' delete=no word
  for word in "$@"; do
    case "$word" in
    --delete-files) delete=yes ;;
    -*) usage ;;
    *) [ -z "$name" ] && name=$word || usage ;;
    esac
  done
  [ -n "$name" ] || usage
  check_name account "$name"
  if id "$name" >/dev/null 2>&1; then
    is_account "$name" || fail "\"$name\" is an account of this machine that is not for SFTP."
    rm -f "$keys/$name"
    end_sessions "$name"
    userdel "$name"
    say "removed account $name and its keys"
  else
    rm -f "$keys/$name"
    say "there is no account $name"
  fi
  [ -d "$root/$name" ] || return 0
  if [ "$delete" = yes ]; then
    rm -rf --one-file-system "${root:?}/$name"
    say "deleted $root/$name and all in it"
  else
    say "kept $root/$name with $(find "$root/$name" -type f | wc -l) files; --delete-files deletes them"
  fi
}

list() {
  local file name path
  [ -d "$keys" ] || return 0
  for file in "$keys"/*; do
    [ -f "$file" ] || continue
    name=$(basename "$file")
    is_account "$name" && echo "$name" || echo "$name (no account: utility.sh restore)"
    ssh-keygen -l -f <(sed 's/^restrict //' "$file") | sed 's/^/  key    /'
    for path in "$root/$name"/*/; do
      [ -d "$path" ] || continue
      echo "  folder $path $(find "$path" -maxdepth 1 -type f | wc -l) files"
    done
  done
}

restore() {
  local file name
  for file in "$keys"/*; do
    [ -f "$file" ] || continue
    name=$(basename "$file")
    local sources=()
    for path in "$root/$name"/*/; do [ -d "$path" ] && sources+=("$(basename "$path")"); done
    if [ ${#sources[@]} -eq 0 ]; then
      say "$name has no folder below $root: left out"
      continue
    fi
    add "$name" "$file" "${sources[@]}"
  done
}

[ "$(id -u)" = 0 ] || fail "must run as root: it makes accounts."
command=${1:-}
[ $# -gt 0 ] && shift
case "$command" in
add) add "$@" ;;
remove) remove "$@" ;;
list) list ;;
restore) restore ;;
*) usage ;;
esac
