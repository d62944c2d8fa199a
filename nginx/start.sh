#!/bin/sh
# Starts nginx in the foreground: `sh start.sh`. Use it instead of `nginx -c nginx.conf` in two cases.
#
# - The APIs have names whose addresses change. nginx looks names up only at its start, and does not start while a name has no
#   address. This script looks the names of upstream.conf up every 2 s, and reloads nginx when an address has changed.
# - Standard output is a socket, as under systemd. nginx cannot open a socket, so the access log goes through a pipe.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
run=/tmp/dropline-nginx-conf

# Prints the address of a host, or its last known address while the host has none. An address is printed unchanged.
address_of() {
  case $1 in
    \[*\]) echo "$1" ;;
    *[!0-9.]*)
      # Several addresses come in any order, so the first one in the order of the alphabet is taken.
      found=$({ getent ahostsv4 "$1" || getent hosts "$1"; } 2>/dev/null | cut -d ' ' -f 1 | sort | head -n 1)
      case $found in *:*) found="[$found]" ;; esac
      if [ -n "$found" ]; then echo "$found" >"$run/address-of-$1"; fi
      if [ -e "$run/address-of-$1" ]; then cat "$run/address-of-$1"; fi
      ;;
    *) echo "$1" ;;
  esac
}

# Prints upstream.conf with addresses instead of names. A server without a known address is marked as down.
upstream() {
  edits=
  for api in $(sed -n 's/^ *server \([^ ;]*\).*/\1/p' "$here/upstream.conf"); do
    address=$(address_of "${api%:*}")
    if [ -n "$address" ]; then
      edits="$edits;s|server $api|server $address:${api##*:}|"
    else
      edits="$edits;s|server $api.*|server 127.0.0.1:1 down;|"
    fi
  done
  sed "${edits#;}" "$here/upstream.conf"
}

# Reloads nginx when an address has changed. `exec` below keeps the process id of this shell, so $$ is nginx.
follow_names() {
  while sleep 2 && kill -0 $$ 2>/dev/null; do
    upstream >"$run/upstream.new"
    if cmp -s "$run/upstream.new" "$run/upstream.conf"; then continue; fi
    mv "$run/upstream.new" "$run/upstream.conf"
    kill -HUP $$
  done
}

rm -rf "$run"
# /tmp is everybody's. Without -p this fails if somebody else was faster.
mkdir -m 700 "$run"
cp -R "$here"/. "$run"
upstream >"$run/upstream.new"
mv -f "$run/upstream.new" "$run/upstream.conf"

if [ -S /dev/stdout ] && grep -q '^access_log /dev/stdout' "$here/machine.conf"; then
  mkfifo "$run/access.log"
  cat "$run/access.log" &
  sed "s|^access_log /dev/stdout|access_log $run/access.log|" "$here/machine.conf" >"$run/machine.new"
  mv -f "$run/machine.new" "$run/machine.conf"
fi

follow_names &
exec nginx -c "$run/nginx.conf" -g 'daemon off;'
