#!/bin/sh
# Creates the secrets of docker-compose.yml: `sh deploy/create-secrets.sh`. Secrets that exist stay as they are, so a second run
# adds only missing ones.
#
# Only the owner of this machine's clone can enter the folder secrets/. Its files are readable to all users, because each
# container reads its own secrets as another user. A container sees no other file of the folder.
set -eu
umask 077
cd "$(dirname "$0")/.."
mkdir -p secrets
chmod 700 secrets

# Writes a file for containers to read.
write() {
  printf '%s' "$2" >"secrets/$1"
  chmod 644 "secrets/$1"
}

# Prints a secret from .env, where earlier versions had them.
earlier() {
  setting=$(echo "$1" | tr a-z A-Z)
  if [ "$1" = owner_password ]; then setting=POSTGRES_PASSWORD; fi
  sed -n "s/^$setting=//p" .env 2>/dev/null | tail -n 1 | sed "s/^\([\"']\)\(.*\)\1\$/\2/"
}

# Writes a file unless it exists.
create() {
  if [ -e "secrets/$1" ]; then return; fi
  value=$(earlier "$1")
  write "$1" "${value:-$2}"
}

# Prints 256 random bits as 64 hex digits. In a URL hex digits need no escape.
random() {
  od -An -v -N32 -tx1 /dev/urandom | tr -d ' \n'
}

for name in auth_secret admin_token redis_password owner_password app_password; do
  create "$name" "$(random)"
done
# These stay empty until the shop fills them in. An empty file is a missing setting.
for name in auth_secret_other payment_provider_key payment_webhook_secrets shop_webhook_secret; do
  create "$name" ''
done

# The URLs follow from the passwords, so each run writes them.
write redis_url "redis://dropline:$(cat secrets/redis_password)@redis:6379"
write owner_database_url "postgres://dropline:$(cat secrets/owner_password)@postgres:5432/dropline"
write database_url "postgres://dropline_app:$(cat secrets/app_password)@postgres:5432/dropline"
