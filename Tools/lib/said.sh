#!/usr/bin/env bash
# said.sh "TARGET..." [NAME]...: refuses what was said to make, KEY=value, with a key that the targets do not take. Prints the
# others, each as KEY=NAME: the key as the commands know it, and as it was said.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# Those of a run are the launcher's; the others only make takes: what fetches, what tests, what measures.
RUN_WORDS=$("$ROOT/Tools/lib/words")
SETUP_WORDS="DEBIAN_MIRROR MARTLET_CACHE"
TEST_WORDS="ONLY PARTS"
BENCH_WORDS="ROUNDS RECORD SPEEDS"
BENCH_MMU_WORDS="MACHINE RECORD WAYS"

targets=$1; shift
keys=" $SETUP_WORDS"
for target in $targets; do
  case $target in
  run | study | linux) keys+=" $RUN_WORDS" ;;
  test | test-fuzz) keys+=" $TEST_WORDS" ;;
  bench) keys+=" $BENCH_WORDS" ;;
  bench-mmu) keys+=" $BENCH_MMU_WORDS" ;;
  esac
done
for name; do
  key=$(printf %s "$name" | tr '[:lower:]' '[:upper:]')
  case "$keys " in
  *" $key "*) echo "$key=$name" ;;
  *) fail $BAD_USAGE "unknown word \"$name\" for make${targets:+ $targets}; the keys are$(sed 's/ \([^ ]*\)/, \1/g; s/^,//' <<< "$keys")" ;;
  esac
done
