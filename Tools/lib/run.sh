# Running a machine in a folder of its own, and ending it in every case (sourced).

children=()
run=
machine_input=/dev/null
tether=() # a launcher that is killed outright takes its children with it, where the system can do that
! have setpriv || tether=(setpriv --pdeathsig KILL)

run_open() { # sets run: the folder of this run's files
  if [ -n "$KEEP" ]; then
    mkdir -p "$KEEP" || fail $BAD_USAGE "KEEP=$KEEP: that folder cannot be made"
    run=$(cd "$KEEP" && pwd)
    rm -rf "$run/files" "$run/console" "$run/report"
  else
    folder_open
    run=$folder
  fi
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

READ_NO_LONGER=141 # SIGPIPE: whoever read the output has gone
concluded= # the status is what the guest came to

conclude() { concluded=$1; exit "$1"; }

launcher_end() { # a command that failed is no success, and no word of the guest's
  local status=$?
  run_close
  [ -n "$concluded" ] || case $status in
  $BAD_USAGE | $TIMED_OUT | $NO_MACHINE | $SCRIPT_ERROR | $READ_NO_LONGER | 129 | 130 | 143) ;;
  *) fail $NO_MACHINE "nothing was run, or not to its end: a command of the launcher's failed" ;;
  esac
}

run_close() {
  local child
  trap '' HUP INT TERM
  [ -n "$run" ] || return 0
  for child in "${children[@]}"; do end_process "$child"; done
  input_close
  rm -f "$run/console" "$run/input"
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

wait_for_any() { # wait_for_any ID...: sets ended to the first of these children that has ended
  local child idle
  exec {idle}<> <(:) # nothing ever comes in
  ended=
  # The shell's own "wait -n" has missed the end of one child when another's came at the same moment.
  while [ -z "$ended" ]; do
    for child; do kill -0 "$child" 2> /dev/null || ended=${ended:-$child}; done
    [ -n "$ended" ] || read -r -t 0.05 -u $idle || :
  done
  exec {idle}>&-
}

run_machine() { # runs "command" in the run's folder, its output through "console"; sets outcome: TIMED_OUT or the like when that is why
  local machine reader child feeder= timer= ended written=0
  outcome=0
  cd "$run"
  : > report
  mkfifo console
  if study_wanted; then
    $console < console > console.guest &
  elif input_wanted; then
    input_open
    if [ -n "$PROMPT" ]; then
      : > console.log
      $console < console | tee console.log &
    else
      $console < console &
    fi
  else
    $console < console &
  fi
  reader=$!
  "${tether[@]}" "${command[@]}" < "$machine_input" > console 2> machine.err 3<&- 4>&- 5<&- &
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
  monitor_end
  for child in "${children[@]}"; do end_process $child; done
  children=()
  wait $reader || written=$? # it ends with the machine, when everything is printed
  input_close
  case $written in
  0) ;;
  $READ_NO_LONGER) study_wanted || exit $READ_NO_LONGER ;;
  *) fail $NO_MACHINE "what the guest printed could not be written" ;;
  esac
  case $ended in
  "$timer") outcome=$TIMED_OUT ;;
  "$feeder") outcome=$ENDED_BY_HAND ;;
  *) outcome=$monitor_status ;;
  esac
}
