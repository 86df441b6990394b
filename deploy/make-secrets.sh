#!/bin/sh
# Writes the secrets of compose.yaml as files below secrets/, each a random one. What is there already stays.
set -eu
cd "$(dirname "$0")"

# The folder keeps other users of this machine out. The files must be readable within it: containers have other users.
umask 022
mkdir -p secrets
chmod 700 secrets

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

for name in admin-password postgres-password minio-root-password s3-secret; do
  [ -s "secrets/$name" ] || random > "secrets/$name"
done
[ -s secrets/database ] ||
  printf 'Host=postgres;Database=registry;Username=registry;Password=%s\n' "$(cat secrets/postgres-password)" \
    > secrets/database
