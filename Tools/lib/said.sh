#!/usr/bin/env bash
# said.sh "TARGET..." [NAME]...: refuses a KEY=value given to make if the targets do not take the key. Prints the others, each
# as KEY=NAME: the key as the commands know it, and as it was typed.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# The words of a run come from the launcher; only make takes the others: for downloads, tests and benchmarks.
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
