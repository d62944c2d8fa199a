#!/bin/sh
# Starts Redis in its container, with users.acl and the password of a secret. The password is an argument of no process.
set -eu
umask 077

here=$(cd "$(dirname "$0")" && pwd)
password=$(cat /run/secrets/redis_password)

# Prints users.acl with the password.
users() {
  while IFS= read -r line; do
    case $line in *">PASSWORD"*) line="${line%%>PASSWORD*}>$password${line#*>PASSWORD}" ;; esac
    printf '%s\n' "$line"
  done <"$here/users.acl"
}

users >/tmp/users.acl
exec redis-server "$here/redis.conf"
