#!/usr/bin/env bash
# said.sh "TARGET..." NAME...: refuses what was said to make, KEY=value, with a key that the targets do not take. Prints the
# others, each as KEY=NAME: the key as the commands know it, and as it was said.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$ROOT/Tools/lib/words.sh"

targets=$1; shift
keys=" $SETUP_WORDS"
for target in $targets; do
  case $target in
  run | study | linux) keys+=" $WORDS" ;;
  test | test-fuzz) keys+=" $TEST_WORDS" ;;
  bench) keys+=" $BENCH_WORDS" ;;
  bench-mmu) keys+=" $BENCH_MMU_WORDS" ;;
  esac
done
for name; do
  key=$(word_key "$name")
  case "$keys " in
  *" $key "*) echo "$key=$name" ;;
  *) fail $BAD_USAGE "unknown word \"$name\" for make${targets:+ $targets}: KEY=value is accepted with the keys$(sed 's/ \([^ ]*\)/, \1/g; s/^,//' <<< "$keys")" ;;
  esac
done
