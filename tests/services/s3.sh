#!/usr/bin/env bash
# A throw-away S3 server on loopback: Ceph's RADOS gateway with one monitor and one OSD, everything below one folder.
# Needs Debian's ceph-mon, ceph-osd, radosgw and curl (tests/provision.sh); no systemd and no containers.
#
#   s3.sh start DATA_DIR PORT   create or reopen DATA_DIR, start what does not run, wait until the bucket is usable
#   s3.sh stop  DATA_DIR        stop the daemons; the data stays
#   s3.sh wipe  DATA_DIR        stop the daemons and delete DATA_DIR
#
# PORT+1 … PORT+9 are used internally. Several instances can run side by side, with other folders and ports.
# Environment, read when DATA_DIR is created: S3_ACCESS_KEY, S3_SECRET_KEY, S3_BUCKET, S3_SIZE_GB (of a sparse file, 20),
# S3_STORE (memstore keeps objects in memory and starts faster; a stopped OSD forgets them), S3_TIMEOUT (seconds, 90).
set -euo pipefail

die() { echo "s3.sh: $*" >&2; exit 1; }
log() { echo "s3.sh: $*" >&2; }

data_dir() {
  local d
  d=$(realpath -m -- "${1:?DATA_DIR is missing}")
  [[ "$d" =~ ^/[A-Za-z0-9._/-]+$ ]] || die "the data folder may only hold letters, digits, '.', '_' and '-': $d"
  echo "$d"
}

# Prints the pid of a daemon of DATA_DIR, known by its command line.
live() { pgrep -o -f "^([^ ]*/)?$2 -c $1/ceph.conf "; } # DIR COMMAND

all_live() { live "$1" ceph-mon && live "$1" ceph-osd && live "$1" radosgw; } >/dev/null

taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
answers() { curl -fs -m 5 --noproxy '*' -o /dev/null "http://127.0.0.1:$1/"; }

write_conf() { # DIR PORT: PORT is the S3 port; the mon keeps the one it was created with
  local d=$1 port=$2 fsid mon
  fsid=$(cat "$d/fsid"); mon=$(cat "$d/mon_port")
  cat >"$d/ceph.conf" <<CONF
[global]
fsid = $fsid
mon host = [v2:127.0.0.1:$mon/0]
public network = 127.0.0.0/8
cluster network = 127.0.0.0/8
ms bind msgr1 = false
ms bind port min = $((mon + 1))
ms bind port max = $((mon + 8))
keyring = $d/keyring
run dir = $d/run
crash dir = $d/crash
admin socket =
log file = $d/log/\$type.\$id.log
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0

[mon]
pid file = $d/run/mon.pid
mon data = $d/mon
mon cluster log to file = false
mon allow pool size one = true
mon max pg per osd = 1000
mon data avail warn = 2
mon data avail crit = 1
auth allow insecure global id reclaim = false
paxos propose interval = 0.05
paxos min wait = 0.01

[osd]
pid file = $d/run/osd.pid
osd data = $d/osd
osd journal = $d/osd/journal
osd objectstore = $(cat "$d/store")
osd memory target = 939524096
bluestore block size = $(cat "$d/size")
bluestore cache autotune = false
bluestore cache size = 134217728
memstore device bytes = $(cat "$d/size")
osd op num shards = 2
osd class update on start = false

[client.rgw.s3]
pid file = $d/run/rgw.pid
rgw data = $d/rgw
rgw frontends = beast endpoint=127.0.0.1:$port
rgw thread pool size = 64
rgw dynamic resharding = false
rgw override bucket index max shards = 1
rgw gc obj min wait = 300
rgw gc processor period = 300
rgw enable usage log = false
rgw run sync thread = false
CONF
}

init() { # DIR PORT
  local d=$1 port=$2 n
  [ ! -e "$d" ] || [ -z "$(ls -A "$d")" ] || [ -e "$d/fsid" ] || die "$d is not empty and not one of ours"
  rm -rf "$d"/{fsid,mon,osd,rgw,run,log,crash,keyring,monmap,mon_port,store,size,ready}
  mkdir -p "$d"/{mon,osd,rgw,run,log,crash}
  cat /proc/sys/kernel/random/uuid >"$d/fsid"
  cat /proc/sys/kernel/random/uuid >"$d/osd_uuid"
  echo $((port + 1)) >"$d/mon_port"
  echo "${S3_STORE:-bluestore}" >"$d/store"
  echo $((${S3_SIZE_GB:-20} << 30)) >"$d/size"
  [ -s "$d/account" ] || (umask 077
   printf '%s\n' "${S3_ACCESS_KEY:-registrytest}" "${S3_SECRET_KEY:-registrytestsecret}" "${S3_BUCKET:-registry-test}" >"$d/account")
  write_conf "$d" "$port"

  {
    ceph-authtool "$d/keyring" --create-keyring --gen-key -n mon. --cap mon 'allow *'
    for n in client.admin client.rgw.s3; do
      ceph-authtool "$d/keyring" --gen-key -n $n --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
    done
    ceph-authtool "$d/keyring" --gen-key -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *'
  } >/dev/null
  monmaptool --create --fsid "$(cat "$d/fsid")" --addv a "[v2:127.0.0.1:$((port + 1))/0]" "$d/monmap" >/dev/null
  ceph-mon -c "$d/ceph.conf" -i a --mkfs --monmap "$d/monmap" --keyring "$d/keyring"
}

run() { # NAME COMMAND...
  local name=$1; shift
  timeout "${S3_TIMEOUT:-90}" "$@" </dev/null >/dev/null 2>>"$D/log/boot.log" || fail "$name failed"
}

fail() {
  local f
  for f in mon.a osd.0 client.admin client.rgw.s3 boot; do
    [ ! -s "$D/log/$f.log" ] || { echo "--- $D/log/$f.log" >&2; tail -n 5 "$D/log/$f.log" | cut -c1-240 >&2; }
  done
  halt "$D"
  die "$*; nothing is running, logs are in $D/log"
}

start() {
  local port key secret bucket
  D=$(data_dir "${1:-}")
  [[ "${S3_STORE:-bluestore}" =~ ^(bluestore|memstore)$ ]] || die "S3_STORE is bluestore or memstore"
  port=${2:?PORT is missing}
  ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)" || true
  local t0=$SECONDS deadline=$((SECONDS + ${S3_TIMEOUT:-90}))
  if [ -e "$D/ready" ] && all_live "$D" && answers "$(cat "$D/port")"; then
    [ "$(cat "$D/port")" = "$port" ] || die "already running on port $(cat "$D/port"): stop it first"
    log "already running: http://127.0.0.1:$port"; return
  fi
  if [ "$(cat "$D/store" 2>/dev/null)" = memstore ] && ! live "$D" ceph-osd >/dev/null; then
    export S3_STORE=memstore; rm -f "$D/ready"
  fi
  if [ ! -e "$D/ready" ]; then
    halt "$D"
    ! taken $((port + 1)) || die "port $((port + 1)) is taken"
  fi
  live "$D" radosgw >/dev/null || ! taken "$port" || die "port $port is taken"
  if [ -e "$D/ready" ]; then write_conf "$D" "$port"; else init "$D" "$port"; fi
  echo "$port" >"$D/port"
  : >"$D/log/boot.log"
  local conf=(-c "$D/ceph.conf")
  { read -r key; read -r secret; read -r bucket; } <"$D/account"

  live "$D" ceph-mon >/dev/null || run ceph-mon setsid ceph-mon "${conf[@]}" -i a
  if [ ! -e "$D/ready" ]; then
    run "osd new" ceph "${conf[@]}" --connect-timeout 30 osd new "$(cat "$D/osd_uuid")"
    run "ceph-osd --mkfs" ceph-osd "${conf[@]}" -i 0 --mkfs --osd-uuid "$(cat "$D/osd_uuid")"
  fi
  live "$D" ceph-osd >/dev/null || run ceph-osd setsid ceph-osd "${conf[@]}" -i 0
  if [ ! -e "$D/ready" ]; then
    run "user create" radosgw-admin "${conf[@]}" user create --uid=registry-test \
      --display-name=registry-test --access-key="$key" --secret-key="$secret"
  fi
  live "$D" radosgw >/dev/null || run radosgw setsid radosgw "${conf[@]}" -n client.rgw.s3
  until answers "$port"; do
    live "$D" radosgw >/dev/null || { sleep 1; live "$D" radosgw >/dev/null || fail "radosgw died"; }
    [ $SECONDS -lt $deadline ] || fail "no answer on port $port"
    sleep 0.1
  done
  until run_bucket "$port" "$key" "$secret" "$bucket"; do
    [ $SECONDS -lt $deadline ] || fail "cannot create bucket $bucket"
    sleep 0.5
  done
  [ -e "$D/ready" ] || warm "$port" "$key" "$secret" "$bucket" || fail "cannot use bucket $bucket"
  touch "$D/ready"
  log "ready in $((SECONDS - t0)) s: http://127.0.0.1:$port (data in $D)"
}

request() { # PORT KEY SECRET METHOD PATH [CURL_OPTION...]
  curl -fsS -m 20 --noproxy '*' -X "$4" --aws-sigv4 aws:amz:us-east-1:s3 --user "$2:$3" \
    -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' "${@:6}" "http://127.0.0.1:$1/$5" 2>>"$D/log/boot.log"
}

run_bucket() { request "$1" "$2" "$3" PUT "$4" >/dev/null; } # PORT KEY SECRET BUCKET: an own bucket again is 200

# The gateway makes its pools when they are first used, and can keep a request waiting for ever when several come just
# then. So the first ones come from here, one after the other.
warm() { # PORT KEY SECRET BUCKET
  local id
  request "$1" "$2" "$3" PUT "$4/warm" -d warm >/dev/null &&
    request "$1" "$2" "$3" DELETE "$4/warm" >/dev/null &&
    id=$(request "$1" "$2" "$3" POST "$4/warm?uploads=" -d "" | sed -n 's/.*<UploadId>\(.*\)<\/UploadId>.*/\1/p') &&
    [ -n "$id" ] &&
    request "$1" "$2" "$3" DELETE "$4/warm?uploadId=$id" >/dev/null
}

halt() { # DIR: radosgw first, the store last
  local who pid i
  for who in radosgw ceph-osd ceph-mon; do
    pid=$(live "$1" $who) || continue
    kill "$pid" 2>/dev/null || continue
    for ((i = 0; i < 100; i++)); do [ "$(live "$1" $who)" = "$pid" ] || continue 2; sleep 0.1; done
    log "$who did not stop in 10 s: killed"
    kill -9 "$pid" 2>/dev/null || true
  done
}

stop() { local d; d=$(data_dir "${1:-}"); halt "$d"; log "stopped ($d)"; }

wipe() {
  local d; d=$(data_dir "${1:-}")
  halt "$d"
  [ ! -e "$d/fsid" ] || rm -rf "$d"
  log "removed $d"
}

for c in ceph-mon ceph-osd radosgw radosgw-admin ceph curl pgrep; do
  command -v $c >/dev/null || die "$c is missing"
done
case "${1:-}" in
  start) start "${2:-}" "${3:-}" ;;
  stop) stop "${2:-}" ;;
  wipe) wipe "${2:-}" ;;
  *) sed -n '2,/^set -/{/^#/s/^# \{0,1\}//p}' "$0"; exit 2 ;;
esac
