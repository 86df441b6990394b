#!/usr/bin/env bash
# Measures the registry:   bench/run.sh [compare|growth|guard|sdk|access|proxy] [options]   (compare, when nothing is said)
#
#   compare   the same load on this registry and on Debian's docker-registry (CNCF Distribution), in turn
#   growth    how cost grows with tags, repositories and the size of a blob
#   sdk       a push and pull of 1 GiB on S3 beside the bare SDK on the same server
#   access    what credentials cost: anonymous, bearer token, password
#   proxy     first pulls through a proxy by 100 clients, pulls of what it has, and its memory
#   guard     a short comparison; fails when a ratio fell by more than a third below bench/recorded.json
#
# compare --store s3 puts both registries on one S3 server, compare --database postgresql this one's metadata into
# PostgreSQL; proxy --store s3 gives the proxy a store there. All are started for it, from what tests/provision.sh installs.
#
# --help behind a command shows its options. Installs docker-registry when it is missing and this is root on Debian.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

command=${1:-compare}
[ $# -gt 0 ] && shift
[ "$command" = guard ] && [ $# -eq 0 ] && set -- bench/recorded.json

needs_reference() { [[ "$command" =~ ^(compare|guard)$ ]] && [[ " $* " != *" --against "* ]]; }
if needs_reference "$@" && ! command -v docker-registry >/dev/null; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "docker-registry is missing (Debian package docker-registry): install it, or compare with --against URL."
    exit 1
  fi
  # The package must not start a server of its own.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy" && chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get -q -o DPkg::Lock::Timeout=120 update >/dev/null
  apt-get -q -o DPkg::Lock::Timeout=120 install -y --no-install-recommends docker-registry >/dev/null
fi

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 MSBUILDDISABLENODEREUSE=1
dotnet build bench/Registry.Bench -c Release -v quiet
dotnet build src/Registry.Web -c Release -v quiet
dotnet bench/Registry.Bench/bin/Release/net10.0/Registry.Bench.dll "$command" "$@"
