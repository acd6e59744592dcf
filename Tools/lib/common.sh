# What every tool shares: where things are, how it speaks, when it gives up (sourced).
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# What was fetched once serves every checkout on this machine.
CACHE=${MARTLET_CACHE:-${XDG_CACHE_HOME:-${HOME:-$ROOT/build}/.cache}/martlet}

# The statuses that are the tools' own; `martlet help` lists them all.
BAD_USAGE=2
TIMED_OUT=14
NO_MACHINE=18
SCRIPT_ERROR=22
ENDED_BY_HAND=130

say() { printf 'martlet: %s\n' "$*" >&2; }
fail() { # fail STATUS WORDS: say what was wrong and end
  local status=$1; shift
  say "$@"
  exit "$status"
}
have() { command -v "$1" > /dev/null 2>&1; }
