# Running a machine in a folder of its own, and ending it in every case (sourced).

children=()
machine_input=/dev/null
tether=() # a launcher that is killed outright takes its children with it, where the system can do that
! have setpriv || tether=(setpriv --pdeathsig KILL)

run_open() { # sets run: the folder of this run's files
  if [ -n "$KEEP" ]; then
    mkdir -p "$KEEP" || fail $BAD_USAGE "KEEP=$KEEP: that folder cannot be made"
    run=$(cd "$KEEP" && pwd)
    rm -rf "$run/files" "$run/console" "$run/report"
  else
    run=$(mktemp -d "${TMPDIR:-/tmp}/martlet.XXXXXX")
  fi
  trap run_close EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

run_close() {
  local child
  trap '' HUP INT TERM
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

run_machine() { # runs "command" in the run's folder, its output through "console"; returns TIMED_OUT or ENDED_BY_HAND when that is why
  local machine reader child feeder= timer= ended
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
  wait $reader || : # it ends with the machine, when everything is printed
  input_close
  [ -z "$timer" ] || [ "$ended" != $timer ] || return $TIMED_OUT
  [ "$monitor_status" = 0 ] || return $monitor_status
  [ -z "$feeder" ] || [ "$ended" != $feeder ] || return $ENDED_BY_HAND
}
