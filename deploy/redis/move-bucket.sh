#!/bin/sh
# Moves a bucket of sales from one node of a Redis Cluster to another one, also while they sell:
#   move-bucket.sh b07 10.0.0.2:6379 10.0.0.4:6379
# A password of the nodes is read from REDISCLI_AUTH. If a move was cut off, the same command finishes it.
set -eu
bucket=$1 from=${2%:*} from_port=${2##*:} to=${3%:*} to_port=${3##*:}

old() { redis-cli -e -h "$from" -p "$from_port" "$@"; }
new() { redis-cli -e -h "$to" -p "$to_port" "$@"; }

slot=$(old cluster keyslot "{$bucket}")
from_id=$(old cluster myid)
to_id=$(new cluster myid)
new cluster setslot "$slot" importing "$from_id"
old cluster setslot "$slot" migrating "$to_id"
while keys=$(old cluster getkeysinslot "$slot" 100) && [ -n "$keys" ]; do
  # Keys have no spaces.
  # shellcheck disable=SC2086
  old migrate "$to" "$to_port" "" 0 60000 ${REDISCLI_AUTH:+auth "$REDISCLI_AUTH"} keys $keys
done
# The new owner first: once it says so, no other node can disagree.
new cluster setslot "$slot" node "$to_id"
# A node that has given its last slot away may have become a replica of the new owner meanwhile.
old cluster setslot "$slot" node "$to_id" || [ "$(old role | head -n 1)" = slave ]
