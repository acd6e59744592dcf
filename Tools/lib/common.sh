# What all tools share: paths, messages, exit statuses (sourced).
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# If SIGPIPE is ignored, every program reports a broken pipe when its reader goes away.
case $(trap -p PIPE) in
*"''"*) ! env --default-signal=PIPE true 2> /dev/null || exec env --default-signal=PIPE "$0" "$@" ;;
esac

# Downloads are shared by all checkouts on this machine.
CACHE=${MARTLET_CACHE:-${XDG_CACHE_HOME:-${HOME:-$ROOT/build}/.cache}/martlet}

# The tools' own exit statuses; `martlet help` lists all of them.
BAD_USAGE=2
NO_MACHINE=18

# The width of a row: COLUMNS from the environment (Bash must not set it), otherwise the terminal's.
shopt -u checkwinsize
width=${COLUMNS:-}
if [ -z "$width" ] && [ -t 1 ]; then { width=$(stty size <&6) || :; } 6>&1; fi
width=${width#* }
case $width in '' | *[!0-9]* | ?????* | 0) width=100 ;; esac
width=$((10#$width))
[ "$width" -ge 40 ] || width=40
[ "$width" -le 1000 ] || width=1000

ticker= # the process that shows how long something takes
say() { # prints a message in rows, broken at blanks
  [ -z "$ticker" ] || printf '\r\033[K' >&2
  local text="martlet: $*" row margin="         "
  while [ ${#text} -gt "$width" ]; do
    row=${text:0:width+1}
    row=${row% *}
    if [ ${#row} -lt 9 ] || [ "${row// /}" = "" ] || [ ${#row} -gt "$width" ]; then # a word longer than the row
      row=${text:9}
      [ "${row#* }" != "$row" ] || break
      row=${text:0:9}${row%% *}
    fi
    printf '%s\n' "$row"
    text=$margin${text:${#row}+1}
  done >&2
  printf '%s\n' "$text" >&2
}
ticking() { # ticking WORDS COMMAND...: prints the words and runs the command; on a terminal, counts the seconds and shows the last line of $log
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
fail() { # fail STATUS WORDS: print what was wrong and exit
  local status=$1; shift
  say "$@"
  [ -z "$ticker" ] || kill $ticker 2> /dev/null || :
  exit "$status"
}
missing_of() { # missing_of FOLDER FILE...: prints the files that are missing or empty
  local folder=$1 file missing=; shift
  for file; do [ -s "$folder/$file" ] || missing+="${missing:+ and }$file"; done
  printf %s "$missing"
}
have() { command -v "$1" > /dev/null 2>&1; }

folder_open() { # sets folder to a new temporary one; removes those of killed runs, whose locks neither they nor their children hold
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
