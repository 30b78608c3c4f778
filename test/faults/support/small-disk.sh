#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# small-disk.sh FOLDER KIB COMMAND...: puts FOLDER on a disk of its own (tmpfs) that has KIB left, runs COMMAND, makes
# room, runs COMMAND again, and leaves what is then on the disk in FOLDER.saved. Prints each exit code as JSON.
# To be run in a mount namespace of its own, so that the disk ends with it: unshare --user --map-root-user --mount
set -eu
folder=$1 kib=$2
shift 2
cp -a "$folder" "$folder.saved"
mount -t tmpfs -o size=64m none "$folder"
cp -a "$folder.saved/." "$folder"
used=$(df -k --output=used "$folder" | tail -n 1)
mount -o "remount,size=$((used + kib))k" "$folder"
for room in little enough; do
  code=0
  "$@" || code=$?
  printf '{"room":"%s","exit":%d}\n' "$room" "$code"
  mount -o remount,size=64m "$folder"
done
cp -a "$folder/." "$folder.saved"
