#!/bin/sh
# Starts nginx in the foreground: `sh start.sh` instead of `nginx -c nginx.conf`, where names or standard output need care.
#
# - nginx looks names up only as it starts, and does not start while one of them has no address. So the names in upstream.conf
#   are looked up here, again every 2 s. nginx reads its configuration again when an address has changed.
# - nginx can't open standard output where it is a socket, as under systemd. There the access log goes through a pipe.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
run=/tmp/dropline-nginx-conf

# The address of a host; its last one while it has none. An address is its own.
address_of() {
  case $1 in
    \[*\]) echo "$1" ;;
    *[!0-9.]*)
      found=$({ getent ahostsv4 "$1" || getent hosts "$1"; } 2>/dev/null | { read -r address _ && echo "$address"; } || true)
      case $found in *:*) found="[$found]" ;; esac
      if [ -n "$found" ]; then echo "$found" >"$run/address-of-$1"; fi
      if [ -e "$run/address-of-$1" ]; then cat "$run/address-of-$1"; fi
      ;;
    *) echo "$1" ;;
  esac
}

# upstream.conf with addresses instead of names. A server whose name has none yet is down.
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

# `exec` below keeps this shell's process id, so $$ is nginx.
follow_names() {
  while sleep 2 && kill -0 $$ 2>/dev/null; do
    upstream >"$run/upstream.new"
    if cmp -s "$run/upstream.new" "$run/upstream.conf"; then continue; fi
    mv "$run/upstream.new" "$run/upstream.conf"
    kill -HUP $$
  done
}

rm -rf "$run"
mkdir -p "$run"
cp -R "$here"/. "$run"
upstream >"$run/upstream.new"
mv -f "$run/upstream.new" "$run/upstream.conf"

if [ -S /dev/stdout ] && grep -q '^access_log /dev/stdout' "$here/place.conf"; then
  mkfifo "$run/access.log"
  cat "$run/access.log" &
  sed "s|^access_log /dev/stdout|access_log $run/access.log|" "$here/place.conf" >"$run/place.new"
  mv -f "$run/place.new" "$run/place.conf"
fi

follow_names &
exec nginx -c "$run/nginx.conf" -g 'daemon off;'
