#!/usr/bin/env bash
# Builds everything once and runs every test project:   ./test.sh [--full] [part of a project's name]...
#
#   --full   the big sizes (REGISTRY_TEST_FULL=1): more kills, gigabyte blobs; and, when no project is named, the guard
#            of the benchmark, which counts as one test
#
# The last line is always "N passed, N failed" (and ", N skipped" when some were), the exit status is 0 only when
# something ran and nothing failed. With CI=true a missing program is a failure; otherwise what needs it is skipped and
# named. Details of each run are in TestResults/.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1

passed=0 failed=0 skipped=0
limit=20m # for one project: a hang must end as a failure with a name
only=()
for argument in "$@"; do
  case $argument in
    --full) export REGISTRY_TEST_FULL=1; limit=90m ;;
    -*) echo "Unknown option $argument. Usage: ./test.sh [--full] [part of a project's name]..."; exit 2 ;;
    *) only+=("$argument") ;;
  esac
done

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_UI_LANGUAGE=en
# The SDK wants a home; a service that runs this may have none.
[ -d "${HOME:-}" ] || export HOME="$PWD/TestResults/home"
# Nothing of the build stays behind running: the tests measure, and want the machine for themselves.
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0
# Daemons live there, and not every root shell has it.
export PATH="$PATH:/usr/sbin:/sbin"

finish() {
  local summary="$passed passed, $failed failed"
  [ "$skipped" -gt 0 ] && summary+=", $skipped skipped"
  echo
  echo "$summary"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
  exit
}

fail() { # fail MESSAGE: counts as one failed test
  failed=$((failed + 1))
  echo "FAILED  $1"
}

wanted() { # wanted PROJECT: was it asked for by name, or was nothing asked for?
  [ "${#only[@]}" -eq 0 ] && return
  local part
  for part in "${only[@]}"; do [[ $1 == *"$part"* ]] && return; done
  return 1
}

# Prints "outcome<TAB>test<TAB>message" for each result of a trx file; line breaks of messages become \v. awk and not an
# XML reader, because a bare Debian has none; the file is the test platform's own and regular.
results_of() {
  awk '
    function attribute(name,   at, rest) {
      at = index($0, name "=\""); if (at == 0) return ""
      rest = substr($0, at + length(name) + 2)
      return substr(rest, 1, index(rest, "\"") - 1)
    }
    function text(s) {
      gsub(/&#x[dD];/, "", s); gsub(/&#x[aA];/, "\n", s); gsub(/&#x9;/, " ", s)
      gsub(/&lt;/, "<", s); gsub(/&gt;/, ">", s); gsub(/&quot;/, "\"", s); gsub(/&apos;/, "\047", s)
      gsub(/&amp;/, "\\&", s); gsub(/\r/, "", s); gsub(/\t/, " ", s); gsub(/\n/, "\v", s)
      return s
    }
    BEGIN { RS = "<UnitTestResult " }
    NR > 1 {
      message = ""
      end = index($0, "</UnitTestResult>"); if (end == 0) end = index($0, "/>")
      body = substr($0, 1, end)
      from = index(body, "<Message>"); to = index(body, "</Message>")
      if (from > 0 && to > from) message = substr(body, from + 9, to - from - 9)
      print attribute("outcome") "\t" text(attribute("testName")) "\t" text(message)
    }' "$1"
}

run_project() { # run_project FILE [NAME OPTION...]: under another name, with options of dotnet test
  local name trx log started status=0 p=0 f=0 s=0 outcome test message project=$1
  name=${2:-$(basename "$1" .csproj)} trx=TestResults/$name.trx log=TestResults/$name.log
  shift; [ $# -gt 0 ] && shift
  started=$SECONDS
  timeout -k 30s "$limit" dotnet test "$project" --no-build -c Release --results-directory TestResults \
    --logger "trx;LogFileName=$name.trx" "$@" > "$log" 2>&1 < /dev/null || status=$?

  if [ -s "$trx" ]; then
    while IFS=$'\t' read -r outcome test message; do
      test="$name: ${test#"$name."}"
      case $outcome in
        Passed) p=$((p + 1)) ;;
        NotExecuted) s=$((s + 1)); skips+=("$test${message:+ ($message)}") ;;
        *) f=$((f + 1)); failures+=("$test"$'\n'"${message//$'\v'/$'\n'}") ;;
      esac
    done < <(results_of "$trx")
  fi
  printf '%-36s %4d passed, %d failed, %d skipped  (%d s)\n' "$name" "$p" "$f" "$s" $((SECONDS - started))
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  # Figures that a test measured are worth reading even when all is well.
  [ -s "$trx" ] && grep -o 'measured: [^<]*' "$trx" | sed 's/^measured: /    /; s/&#x[dD];//g; s/&amp;/\&/g'

  if [ "$status" -ne 0 ] && [ "$f" -eq 0 ]; then
    local why="the test run crashed (status $status)"
    [ "$status" -eq 124 ] && why="the test run did not end within $limit"
    fail "$name: $why; the end of $log:"
    tail -n 25 "$log" | sed 's/^/    /'
  elif [ $((p + f + s)) -eq 0 ]; then
    fail "$name: no test ran"
  fi
}

rm -rf TestResults && mkdir -p TestResults/home

if ! command -v dotnet >/dev/null; then
  fail "the .NET SDK is missing: there is no 'dotnet' on the PATH"
  finish
fi

if ! bash tests/provision.sh; then
  if [ "${CI:-}" = true ]; then
    fail "programs that the tests need are missing and could not be installed (listed above)"
  else
    echo "The tests that need the missing programs are skipped."
  fi
fi

echo "Building..."
build_started=$SECONDS
if ! dotnet build Registry.sln -c Release -v quiet -p:UseSharedCompilation=false \
    > TestResults/build.log 2>&1 < /dev/null; then
  grep -E '(error|warning) ' TestResults/build.log | sort -u | head -n 40 || tail -n 40 TestResults/build.log
  passed=0 failed=0
  fail "the build failed; all of it is in TestResults/build.log"
  finish
fi
echo "Built in $((SECONDS - build_started)) s."

failures=() skips=()
while IFS= read -r project; do
  wanted "$(basename "$project" .csproj)" && run_project "$project"
done < <(find tests -name '*.Tests.csproj' | LC_ALL=C sort)

# All of the suite over HTTP once more, with the metadata in PostgreSQL and the blobs in S3. Left out, and not skipped,
# is what would be the same test again: tests that name their own database and store, those about the folder store, and,
# but for --full, those about what neither is asked for. All of them have just run above.
again='Backend!=Own&Backend!=Folder'
[ "${REGISTRY_TEST_FULL:-}" = 1 ] || again+='&Backend!=Neither'
missing=()
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
for program in ceph-mon ceph-osd radosgw; do
  command -v "$program" >/dev/null || missing+=("$program")
done
if ! wanted Registry.Web.Tests; then
  :
elif [ "${#missing[@]}" -gt 0 ]; then
  echo "Registry.Web.Tests on PostgreSQL and S3 is skipped: not installed: ${missing[*]}"
else
  REGISTRY_TEST_DATABASE=PostgreSql REGISTRY_TEST_STORE=S3 \
    run_project tests/Registry.Web.Tests/Registry.Web.Tests.csproj Registry.Web.Tests.PostgreSql.S3 \
    --filter "$again"
fi

# The guard measures: nothing else may run beside it.
if [ "${REGISTRY_TEST_FULL:-}" = 1 ] && [ "${#only[@]}" -eq 0 ]; then
  if bench/run.sh guard > TestResults/guard.log 2>&1 < /dev/null; then
    passed=$((passed + 1))
    printf '%-36s %4d passed, %d failed, %d skipped\n' "bench guard" 1 0 0
  else
    fail "bench guard: a ratio fell below two thirds of the recorded one, or it could not run"
    tail -n 40 TestResults/guard.log | sed 's/^/    /'
  fi
fi

if [ "${#skips[@]}" -gt 0 ]; then
  echo
  printf 'skipped %s\n' "${skips[@]}"
fi
for failure in ${failures[@]+"${failures[@]}"}; do
  echo
  # A message is shown, not a flood: the rest is in the trx file.
  printf 'FAILED  %s\n' "$failure" | head -n 40 | cut -c 1-400
done
[ $((passed + failed)) -eq 0 ] && fail "no test ran"
finish
