# Cases that boot machines, JOBS at a time (sourced). Each is a function that prints "ok NAME" or "not ok NAME: why", and
# uses only its own files in the folder "work".

: "${JOBS:=2}"

export COLUMNS=1000 # each of Martlet's lines is one row here

# Seconds that a machine may take. The longest case takes under a minute on two idle cores: the limit ends what hangs, and says
# nothing about how busy this machine is. A case that needs another limit sets its own, at least ten times what it takes.
LIMIT=1200

cases_open() { # cases_open NAME [PART]: only cases whose words contain that part
  work=$(mktemp -d "${TMPDIR:-/tmp}/martlet-$1.XXXXXX")
  only=${2:-}
  : > "$work/results"
  trap cases_close EXIT
}

cases_close() {
  kill $(jobs -p) 2> /dev/null || :
  wait
  rm -rf "$work"
}

it() { # it FUNCTION NAME WORD...: runs the case as soon as there is room
  case "$*" in *"$only"*) ;; *) return 0 ;; esac
  while [ "$(jobs -rp | wc -l)" -ge "$JOBS" ]; do wait -n || :; done
  # Each line is written at once, so that parallel cases do not mix theirs.
  "$@" < /dev/null | tee -a "$work/results" &
}

cases_end() { # waits for all; the status is 0 if any ran and none failed
  wait
  if [ ! -s "$work/results" ]; then
    echo "not ok no case's words contain \"$only\""
    return 1
  fi
  ! grep -q '^not ok' "$work/results" && grep -q '^ok' "$work/results"
}

until_true() { # until_true COMMAND...: retries until it succeeds; gives up after five minutes, when it cannot just be slow
  local tries=0
  until "$@"; do
    tries=$((tries + 1))
    [ $tries -lt 3000 ] || return 1
    sleep 0.1
  done
}
