# The words of a run: KEY=value arguments over the environment over the defaults, each checked (sourced).

WORDS="GUEST CMDLINE MODULES MEMORY MACHINE PROCESSOR TRACE TRACE_FILE LARGE MMU SHADOW VPID CHECKS TESTDEV FLAT HIDE TIMEOUT MONITOR SCRIPT SYMBOLS PORT INPUT SCREEN PROMPT EXTRA KERNEL BOOT KEEP IPS"
# Those that only make takes: what fetches, what tests, what measures.
SETUP_WORDS="DEBIAN_MIRROR MARTLET_CACHE"
TEST_WORDS="ONLY PARTS"
BENCH_WORDS="ROUNDS RECORD SPEEDS"
BENCH_MMU_WORDS="MACHINE RECORD WAYS"

word_key() { printf %s "$1" | tr '[:lower:]' '[:upper:]'; }

words_read() { # words_read KEY=value...
  local argument key name
  for argument in "$@"; do
    key=${argument%%=*}
    name=$(word_key "$key")
    case " $WORDS " in
    *" $name "*) [ "$argument" != "$key" ] || fail $BAD_USAGE "$key: give it a value, as in $name=..." ;;
    *) fail $BAD_USAGE "unknown word \"$argument\": KEY=value is accepted with the keys ${WORDS// /, }" ;;
    esac
    printf -v "$name" %s "${argument#*=}"
  done
  : "${GUEST:=tour}" "${CMDLINE:=}" "${MODULES:=}" "${MEMORY:=256M}" "${MACHINE:=auto}" "${PROCESSOR:=}" "${TRACE:=exits}"
  : "${MONITOR:=}" "${SCRIPT:=}" "${SYMBOLS:=}" "${PORT:=}" "${TRACE_FILE:=}" "${LARGE:=}" "${MMU:=}" "${SHADOW:=}" "${VPID:=}" "${CHECKS:=}" "${TESTDEV:=}" "${FLAT:=}" "${HIDE:=}" "${TIMEOUT:=}" "${EXTRA:=}" "${KERNEL:=$ROOT/build/martlet.elf}"
  : "${BOOT:=multiboot}" "${KEEP:=}" "${INPUT:=auto}" "${SCREEN:=}" "${PROMPT:=}" "${IPS:=50000000}"
}

word_among() { # word_among KEY ACCEPTED: the value is one of the accepted, which blanks separate; "none given" passes
  local value=${!1}
  [ -n "$value" ] || return 0
  case " $2 " in *" $value "*) ;; *) fail $BAD_USAGE "$1=$value is not accepted: it is one of ${2// /, }" ;; esac
}

word_file() { # word_file KEY: the value is a file that can be read; it is one from anywhere afterwards
  local value=${!1}
  [ -n "$value" ] || return 0
  [ -r "$value" ] || fail $BAD_USAGE "$1=$value: there is no such file to read"
  printf -v "$1" %s "$(cd "$(dirname "$value")" && pwd)/${value##*/}"
}

word_size() { # word_size KEY EXAMPLE: the value is a size; its letter is a capital afterwards
  [[ ${!1} =~ ^[1-9][0-9]{0,8}[KMGkmg]$ ]] ||
    fail $BAD_USAGE "$1=${!1} is not a size: a whole number and K, M or G, such as $2"
  printf -v "$1" %s "${!1^^}"
}

words_check() {
  local key
  for key in $WORDS; do
    case ${!key} in *[[:cntrl:]]*) fail $BAD_USAGE "$key holds a control character, which no machine passes on" ;; esac
  done
  word_size MEMORY 256M
  [ -z "$TIMEOUT" ] || [[ $TIMEOUT =~ ^[0-9]*[1-9][0-9]*(\.[0-9]+)?$|^0*\.[0-9]*[1-9][0-9]*$ ]] ||
    fail $BAD_USAGE "TIMEOUT=$TIMEOUT is not a number of seconds"
  word_among MACHINE "auto kvm tcg bochs bochs2.7 nested"
  word_among TRACE "off summary exits full"
  if [ -n "$TRACE_FILE" ]; then
    { : > "$TRACE_FILE"; } 2> /dev/null || fail $BAD_USAGE "TRACE_FILE=$TRACE_FILE: that file cannot be written"
    TRACE_FILE=$(cd "$(dirname "$TRACE_FILE")" && pwd)/${TRACE_FILE##*/}
  fi
  word_among MONITOR "off study gdb"
  [ "$MONITOR" != off ] || MONITOR=
  if [ -n "$PORT" ]; then
    [[ $PORT =~ ^[1-9][0-9]{3,4}$ ]] && [ "$PORT" -ge 1024 ] && [ "$PORT" -le 65535 ] ||
      fail $BAD_USAGE "PORT=$PORT is not a TCP port from 1024 to 65535"
    [ "$MONITOR" = gdb ] || fail $BAD_USAGE "PORT=$PORT needs MONITOR=gdb"
  fi
  [ -z "$SCRIPT" ] || study_wanted || fail $BAD_USAGE "SCRIPT=$SCRIPT needs MONITOR=study"
  word_file SCRIPT
  [ -z "$SYMBOLS" ] || monitor_wanted || fail $BAD_USAGE "SYMBOLS=$SYMBOLS needs MONITOR=study or MONITOR=gdb"
  word_file SYMBOLS
  [ -z "$TRACE_FILE" ] || ! monitor_wanted || fail $BAD_USAGE "TRACE_FILE and MONITOR are for different runs: the monitor stops the guest"
  word_among LARGE "4k 2m 1g"
  word_among MMU "nested shadow direct"
  if [ "$MMU" = shadow ]; then
    : "${SHADOW:=16M}"
    word_size SHADOW 16M
  elif [ -n "$SHADOW" ]; then
    fail $BAD_USAGE "SHADOW=$SHADOW needs MMU=shadow"
  fi
  [ "$MMU" != direct ] || ! monitor_wanted || fail $BAD_USAGE "MMU=direct and MONITOR are for different runs: the monitor does not know direct paging"
  word_among VPID "on off"
  word_among CHECKS "on off"
  word_among FLAT "on off"
  word_among TESTDEV "on off"
  word_among INPUT "auto on off"
  word_among SCREEN "auto on off"
  [[ $IPS =~ ^[1-9][0-9]{6,9}$ ]] || fail $BAD_USAGE "IPS=$IPS is not a number of instructions a second, from 1000000 on"
  word_among BOOT "multiboot multiboot2"
  [ "$BOOT" = multiboot ] || case $MACHINE in
  kvm | tcg | nested) fail $BAD_USAGE "BOOT=$BOOT needs GRUB, which only MACHINE=bochs starts from" ;;
  esac
}

memory_mebibytes() { mebibytes "$MEMORY"; }

mebibytes() { # mebibytes SIZE: a size in MiB, rounded up
  local number=${1%?}
  case $1 in
  *K) echo $(((number + 1023) / 1024)) ;;
  *M) echo "$number" ;;
  *G) echo $((number * 1024)) ;;
  esac
}

kernel_words() { # the kernel's command line, behind its own file name as QEMU puts it
  local text="${KERNEL##*/} memory=$MEMORY trace=$TRACE"
  text+="${LARGE:+ large=$LARGE}${MMU:+ mmu=$MMU}${SHADOW:+ shadow=$SHADOW}${VPID:+ vpid=$VPID}${CHECKS:+ checks=$CHECKS}${TESTDEV:+ testdev=$TESTDEV}${SCREEN:+ screen=$SCREEN}${rows:+ rows=$rows} columns=$width${FLAT:+ flat=$FLAT}${HIDE:+ hide=$(hidden_names)} $(report_words)${TRACE_FILE:+ record=serial recordway=$record_way}${EXTRA:+ $EXTRA}"
  printf %s "$text"
}

hidden_names() { # of HIDE, between commas
  local names=${HIDE//[ ,]/ }
  read -ra names <<< "$names"
  local IFS=,
  printf %s "${names[*]}"
}

report_words() { # where the report goes, and the monitor or the debugger, or else what ends the guest
  case $MONITOR in
  study | gdb) printf %s "report=com3 agent=com2" ;;
  *) printf %s "report=com2 stop=com4" ;;
  esac
}
