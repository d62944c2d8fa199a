#!/bin/sh
# Gives the role of the processes its rights and its password, in a container of its own. The owner's password comes from a
# secret, too. No password is an argument of a process.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
PGPASSWORD=$(cat /run/secrets/owner_password)
export PGPASSWORD PGHOST=postgres PGUSER=dropline PGDATABASE=dropline

psql -q -v ON_ERROR_STOP=1 -f "$here/rights.sql"
printf "ALTER ROLE dropline_app PASSWORD '%s'" "$(cat /run/secrets/app_password)" | psql -q -v ON_ERROR_STOP=1
