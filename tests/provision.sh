#!/usr/bin/env bash
# Gets the programs that the tests drive: container clients, a database and an S3 server, proxies, a tracer, a few tools.
#
# Installs Debian packages when it may (root, apt-get); anything that is already there is left alone. Afterwards it
# prints one line for each program that is still missing and exits 1; exits 0 when all are there.
# It starts no service and changes neither the machine's package sources nor its pins.
set -uo pipefail

# program → package. dockerd is asked for, not docker: a client alone cannot be tested without its daemon.
readonly PROGRAMS="skopeo:skopeo podman:podman buildah:buildah umoci:umoci dockerd:docker.io docker:docker.io
containerd:containerd ctr:containerd busybox:busybox-static htpasswd:apache2-utils strace:strace curl:curl
initdb:postgresql slapd:slapd ldapmodify:ldap-utils ceph-mon:ceph-mon ceph-osd:ceph-osd radosgw:radosgw
nginx:nginx caddy:caddy docker-compose:docker-compose systemd-analyze:systemd docker-registry:docker-registry"
# These are younger than Debian 12: taken from the next release when the machine's own sources lack them.
readonly NEWER_PROGRAMS="oras:oras cosign:cosign"
readonly NEWER_SUITE=trixie

export DEBIAN_FRONTEND=noninteractive
export PATH="$PATH:/usr/sbin:/sbin"

# Debian keeps PostgreSQL's programs below its version, beside the PATH.
have() { command -v "$1" >/dev/null 2>&1 || compgen -G "/usr/lib/postgresql/*/bin/$1" >/dev/null; }

# packages_for "program:package ..." → the packages of the programs that are missing, each once
packages_for() {
  local pair
  for pair in $1; do have "${pair%%:*}" || echo "${pair##*:}"; done | sort -u
}

report_missing() {
  local pair missing=0
  for pair in $PROGRAMS $NEWER_PROGRAMS; do
    if ! have "${pair%%:*}"; then
      echo "missing: ${pair%%:*} (Debian package ${pair##*:})"
      missing=1
    fi
  done
  return "$missing"
}

# A package must not start its daemon: nothing here wants one, and tests start their own.
forbid_service_starts() {
  local policy=/usr/sbin/policy-rc.d
  [ -e "$policy" ] && return
  printf '#!/bin/sh\nexit 101\n' > "$policy" && chmod 755 "$policy"
  trap 'rm -f /usr/sbin/policy-rc.d; rm -rf "$scratch"' EXIT
}

apt_quiet() { # shows apt's output only when it fails
  local log="$scratch/apt.log"
  apt-get -q -o DPkg::Lock::Timeout=120 "$@" > "$log" 2>&1 < /dev/null && return 0
  echo "apt-get $* failed:"
  tail -n 15 "$log"
  return 1
}

# Writes a one-line source for $NEWER_SUITE, made from where this machine gets its own Debian. apt itself is asked, so
# every format that apt reads is understood; Origin, Label and Codename come from the signed Release file, which keeps
# other vendors' sources and backports out.
write_newer_source() {
  local codename origin label suite component uri signed_by
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(CODENAME)|$(COMPONENT)|$(REPO_URI)|$(SIGNED_BY)' \
      'Created-By: Packages' |
    while IFS='|' read -r origin label suite component uri signed_by; do
      [ "$origin|$label|$suite|$component" = "Debian|Debian|$codename|main" ] || continue
      case $signed_by in
        /*) echo "deb [signed-by=$signed_by] $uri $NEWER_SUITE main" ;;
        *) echo "deb $uri $NEWER_SUITE main" ;;
      esac
    done | sort -u > "$1"
  [ -s "$1" ]
}

# Downloads packages of the newer release with an apt that has its own sources, lists and cache below $scratch.
download_newer() {
  local private="$scratch/newer"
  mkdir -p "$private"/{empty,state/lists/partial,cache/archives/partial,packages}
  if ! write_newer_source "$private/sources.list"; then
    echo "No Debian source of this machine to derive $NEWER_SUITE from."
    return 1
  fi
  local options=(
    -o "Dir::Etc::SourceList=$private/sources.list" -o "Dir::Etc::SourceParts=$private/empty"
    -o "Dir::Etc::Preferences=$private/empty/none" -o "Dir::Etc::PreferencesParts=$private/empty"
    -o "Dir::State=$private/state" -o Dir::State::Status=/var/lib/dpkg/status
    -o "Dir::Cache=$private/cache" -o APT::Sandbox::User=root
    # The package list alone is enough, and the machine's own hooks are about the machine's own lists.
    -o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false
    -o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false
  )
  # Without upgrade or removal in sight: a package that needs a newer libc is refused by the install below.
  (cd "$private/packages" && apt_quiet "${options[@]}" update && apt_quiet "${options[@]}" download "$@")
}

# The package makes and enables a cluster of its own when it is installed, unless its settings say no; tests make theirs.
forbid_database_cluster() {
  apt_quiet install -y --no-install-recommends postgresql-common &&
    sed -ri 's/^#?create_main_cluster *=.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
}

install_missing() {
  local packages newer known=() foreign=() package
  packages=$(packages_for "$PROGRAMS")
  newer=$(packages_for "$NEWER_PROGRAMS")
  apt_quiet update || return 1
  case " $packages" in *postgresql*) forbid_database_cluster || return 1 ;; esac

  for package in $newer; do
    if apt-cache show "$package" >/dev/null 2>&1; then known+=("$package"); else foreign+=("$package"); fi
  done
  if [ -n "$packages" ] || [ "${#known[@]}" -gt 0 ]; then
    # shellcheck disable=SC2086 # the list is words
    apt_quiet install -y --no-install-recommends $packages ${known[@]+"${known[@]}"}
  fi
  if [ "${#foreign[@]}" -gt 0 ]; then
    download_newer "${foreign[@]}" &&
      apt_quiet install -y --no-install-recommends --no-remove "$scratch"/newer/packages/*.deb
  fi
}

if [ -z "$(packages_for "$PROGRAMS $NEWER_PROGRAMS")" ]; then exit 0; fi

if [ "$(id -u)" != 0 ]; then
  echo "Not root: nothing can be installed."
elif ! have apt-get; then
  echo "No apt-get here: nothing can be installed."
else
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  forbid_service_starts
  echo "Installing: $(packages_for "$PROGRAMS $NEWER_PROGRAMS" | tr '\n' ' ')"
  install_missing
fi
report_missing
