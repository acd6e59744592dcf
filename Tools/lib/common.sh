# What every tool shares: where things are, how it speaks, when it gives up (sourced).
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# Where SIGPIPE is ignored, every program would tell of a reader that has gone.
case $(trap -p PIPE) in
*"''"*) ! env --default-signal=PIPE true 2> /dev/null || exec env --default-signal=PIPE "$0" "$@" ;;
esac

# What was fetched once serves every checkout on this machine.
CACHE=${MARTLET_CACHE:-${XDG_CACHE_HOME:-${HOME:-$ROOT/build}/.cache}/martlet}

# The statuses that are the tools' own; `martlet help` lists them all.
BAD_USAGE=2
NO_MACHINE=18

# How many columns a row has: COLUMNS in the environment says, which Bash itself is not to set, else the terminal.
shopt -u checkwinsize
width=${COLUMNS:-}
if [ -z "$width" ] && [ -t 1 ]; then { width=$(stty size <&6) || :; } 6>&1; fi
width=${width#* }
case $width in '' | *[!0-9]* | ?????* | 0) width=100 ;; esac
width=$((10#$width))
[ "$width" -ge 40 ] || width=40
[ "$width" -le 1000 ] || width=1000

ticker= # the process that shows how long something takes
say() { # says it in rows, broken at blanks
  [ -z "$ticker" ] || printf '\r\033[K' >&2
  local text="martlet: $*" row margin="         "
  while [ ${#text} -gt "$width" ]; do
    row=${text:0:width+1}
    row=${row% *}
    if [ ${#row} -lt 9 ] || [ "${row// /}" = "" ] || [ ${#row} -gt "$width" ]; then # a word that is longer
      row=${text:9}
      [ "${row#* }" != "$row" ] || break
      row=${text:0:9}${row%% *}
    fi
    printf '%s\n' "$row"
    text=$margin${text:${#row}+1}
  done >&2
  printf '%s\n' "$text" >&2
}
ticking() { # ticking WORDS COMMAND...: says what is under way, on a terminal with the seconds that it takes, and runs it; $log is what it writes
  local words=$1 status=0 start=$SECONDS; shift
  say "$words"
  [ -t 2 ] && [ "${TERM:-dumb}" != dumb ] || { "$@"; return; }
  while sleep 1 && kill -0 $$ 2> /dev/null; do
    printf '\r         %.*s\033[K' $((width - 10)) "$((SECONDS - start)) s$([ -z "${log:-}" ] || tail -n 1 "$log" 2> /dev/null | sed 's/^/: /')"
  done >&2 &
  ticker=$!
  "$@" || status=$?
  kill $ticker 2> /dev/null || :
  wait $ticker 2> /dev/null || :
  ticker=
  printf '\r\033[K' >&2
  return $status
}
fail() { # fail STATUS WORDS: say what was wrong and end
  local status=$1; shift
  say "$@"
  [ -z "$ticker" ] || kill $ticker 2> /dev/null || :
  exit "$status"
}
missing_of() { # missing_of FOLDER FILE...: prints the files that are not there, or empty
  local folder=$1 file missing=; shift
  for file; do [ -s "$folder/$file" ] || missing+="${missing:+ and }$file"; done
  printf %s "$missing"
}
have() { command -v "$1" > /dev/null 2>&1; }

folder_open() { # sets folder: a new temporary one. What those left behind that were killed goes: nobody has their lock, no child either
  if have flock; then
    for folder in "${TMPDIR:-/tmp}"/martlet.??????; do
      [ ! -f "$folder/lock" ] || [ ! -O "$folder" ] || ! flock -n "$folder/lock" true || rm -rf "$folder"
    done
  fi
  folder=$(mktemp -d "${TMPDIR:-/tmp}/martlet.XXXXXX")
  have flock || return 0
  exec 9> "$folder/new"
  flock 9
  mv "$folder/new" "$folder/lock"
}
