# Running a machine in a folder of its own, and ending it in every case (sourced).

children=()
run=
machine_input=/dev/null
tether=() # a launcher that is killed outright takes its children with it, where the system can do that
! have setpriv || tether=(setpriv --pdeathsig KILL)
aside=() # Ctrl-C at the terminal is for the launcher: a machine would end at once
! have setsid || aside=(setsid)
machine= # its process
told= # by a signal to end the machine: the status for that
killed= # it did not, within this many seconds
patience=10

run_open() { # sets run: the folder of this run's files
  if [ -n "$KEEP" ]; then
    mkdir -p "$KEEP" || fail $BAD_USAGE "KEEP=$KEEP: that folder cannot be made"
    run=$(cd "$KEEP" && pwd)
    rm -rf "$run"/{files,console,report,input,never,stop}
  else
    folder_open
    run=$folder
  fi
  trap 'trap "" HUP; exit $STOPPED' HUP # a terminal that goes may say so twice
  trap 'tell $ENDED_BY_HAND' INT
  trap 'tell $STOPPED' TERM
}

SIGNALLED_PIPE=141 # how a program ends whose reader has gone
concluded= # the status is what the guest came to

conclude() { concluded=$1; exit "$1"; }

launcher_end() { # a command that failed is no success, and no word of the guest's; make has only one status for what is none
  local status=$?
  run_close
  if [ -z "$concluded" ]; then
    case $status in
    $BAD_USAGE | $TIMED_OUT | $NO_MACHINE | $SCRIPT_ERROR | $STOPPED | $READ_NO_LONGER | $ENDED_BY_HAND) ;;
    *)
      say "nothing was run, or not to its end: a command of the launcher's failed"
      status=$NO_MACHINE ;;
    esac
  fi
  [ -n "$for_make" ] || exit $status
  case $status in
  0 | 1) exit 0 ;;
  $STOPPED | $READ_NO_LONGER | $ENDED_BY_HAND) ;; # who ended it knows
  *[13579]) say "ended with status $status: the guest wrote $((status / 2)) to port 0xf4" ;;
  *) say "ended with status $status: $(sed -n "s/^  $status  *//p" "$ROOT/Tools/lib/help.txt")" ;;
  esac
  exit 1
}

tell() { # tell STATUS: the machine is to end for this reason; at the second time at once, as before it has started
  [ -n "$machine" ] && [ -z "$told" ] || exit "$1"
  told=$1
}

stop_machine() { # has the guest ended in order, so that the kernel says what there was; sets killed if that takes too long
  local seen=$told until=$((SECONDS + patience))
  [ -p stop ] || return 0
  while kill -0 $machine 2> /dev/null; do
    # A byte that comes before the kernel looks is lost.
    printf . >&6
    wait_a_moment
    if [ $SECONDS -gt $until ] || [ "$told" != "$seen" ]; then
      killed=1
      break
    fi
  done
}

run_close() {
  local child
  trap '' HUP INT TERM
  [ -n "$run" ] || return 0
  for child in "${children[@]}"; do end_process "$child"; done
  input_close
  rm -f "$run"/{console,input,never,stop}
  [ -n "$KEEP" ] || rm -rf "$run"
}

end_process() { # end_process ID: ask, then insist (Bochs does not listen)
  local tries=0
  kill "$1" || return 0
  while kill -0 "$1"; do
    tries=$((tries + 1))
    [ $tries -le 5 ] || kill -KILL "$1" || :
    sleep 0.1
  done
  wait "$1" || :
} 2> /dev/null # where the shell would tell of the kill

wait_a_moment() {
  local idle
  exec {idle}<> <(:) # nothing ever comes in
  read -r -t 0.05 -u $idle || :
  exec {idle}>&-
}

wait_for_any() { # wait_for_any ID...: sets ended to the first of these children that has ended, or to nothing when a signal tells to stop
  local child
  ended=
  # The shell's own "wait -n" has missed the end of one child when another's came at the same moment.
  while [ -z "$ended$told" ]; do
    for child; do kill -0 "$child" 2> /dev/null || ended=${ended:-$child}; done
    [ -n "$ended" ] || wait_a_moment
  done
}

read_console() { # what the machine says, to its end: Ctrl-C is not for who reads that
  trap '' INT
  $console < console
}

run_machine() { # runs "command" in the run's folder, its output through "console"; sets outcome: TIMED_OUT or the like when that is why
  local reader child feeder= timer= ended written
  outcome=0
  cd "$run"
  : > report
  records_open
  mkfifo console
  if study_wanted; then
    read_console > console.guest &
  elif input_wanted; then
    input_open
    if [ -n "$PROMPT" ]; then
      : > console.log
      read_console | (trap '' INT; exec tee console.log) &
    else
      read_console &
    fi
  else
    read_console &
  fi
  reader=$!
  if ! monitor_wanted; then
    mkfifo stop
    exec 6<> stop
  fi
  "${aside[@]}" "${tether[@]}" "${command[@]}" < "$machine_input" > console 2> machine.err 3<&- 4>&- 5<&- 6>&- &
  machine=$!
  children+=($machine)
  if [ -p input ]; then
    input_feed &
    feeder=$!
    children+=($feeder)
  fi
  if [ -n "$TIMEOUT" ]; then
    "${tether[@]}" sleep "$TIMEOUT" &
    timer=$!
    children+=($timer)
  fi
  wait_for_any $machine $feeder $timer $monitor_pid
  case $ended in
  '') outcome=$told ;;
  "$timer") outcome=$TIMED_OUT ;;
  "$feeder") outcome=$ENDED_BY_HAND ;;
  *) monitor_end ;;
  esac
  [ $outcome = 0 ] || stop_machine
  for child in "${children[@]}"; do end_process $child; done
  children=()
  # It ends with the machine, when everything is printed; a signal ends only the waiting.
  while written=0 && { wait $reader || written=$?; } && kill -0 $reader 2> /dev/null; do :; done
  input_close
  case $written in
  0) ;;
  $SIGNALLED_PIPE) study_wanted || exit $READ_NO_LONGER ;;
  *) fail $NO_MACHINE "what the guest printed could not be written" ;;
  esac
  [ $outcome != 0 ] || outcome=$monitor_status
}
