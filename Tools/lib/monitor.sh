# martlet-study at the machine's second serial port (sourced): it waits for the machine on a port of this host, and shows what
# the guest prints between its own lines.

monitor_port=
monitor_pid=
monitor_status=0 # what martlet-study has ended with
MONITOR_PROGRAM=$ROOT/.build/debug/martlet-study

monitor_wanted() { [ -n "${MONITOR:-}" ]; } # something is at the second serial port
study_wanted() { [ "$MONITOR" = study ]; }

monitor_build() { # `make study` has built it anew
  [ -x "$MONITOR_PROGRAM" ] && return
  say "building martlet-study"
  (cd "$ROOT" && swift build --product martlet-study) > "$run/monitor.log" 2>&1 ||
    fail $NO_MACHINE "martlet-study cannot be built: $(grep -m 1 'error:' "$run/monitor.log" || tail -n 1 "$run/monitor.log")"
}

monitor_prepare() { # starts it, and sets monitor_port: where the machine finds it
  local arguments=() symbols
  monitor_wanted || return 0
  monitor_build
  mkfifo "$run/console.guest"
  arguments=(--listen "$run/port")
  if study_wanted; then
    arguments+=(--console console.guest)
    [ -z "$SCRIPT" ] || arguments+=(--script "$SCRIPT")
  else
    arguments+=(--gdb ${PORT:+"$PORT"})
    [ "$MACHINE" != nested ] || say "Linux starts first, longer than gdb waits by itself: begin with gdb -ex 'set remotetimeout 200'"
  fi
  symbols=$(monitor_symbols)
  [ -z "$symbols" ] || arguments+=(--symbols "$symbols")
  # A job of this shell's has no terminal unless it is given one.
  (cd "$run" && exec "${tether[@]/KILL/TERM}" "$MONITOR_PROGRAM" "${arguments[@]}") <&0 &
  monitor_pid=$!
  children+=($monitor_pid)
  until [ -s "$run/port" ]; do
    kill -0 $monitor_pid 2> /dev/null || fail $NO_MACHINE "martlet-study has ended"
    sleep 0.01
  done
  monitor_port=$(cat "$run/port")
}

monitor_symbols() { # prints the file that names the guest's addresses, if there is one
  if [ -n "$SYMBOLS" ]; then
    echo "$SYMBOLS"
  elif [ "$GUEST" != tour ] && [ "$(head -c 4 "$run/files/${module_names[0]}" | tr -d '\177')" = ELF ]; then
    echo "$run/files/${module_names[0]}"
  fi
}

monitor_end() { # the machine or martlet-study has ended: the other does, too
  [ -n "$monitor_pid" ] || return 0
  if [ "$ended" = $monitor_pid ]; then
    wait $monitor_pid || monitor_status=$?
    case $monitor_status in
    0 | $SCRIPT_ERROR) wait_for_any $machine $timer ;; # it was told to end
    *) return ;;
    esac
  elif [ "$ended" = "$machine" ] && study_wanted; then
    # The last of what the guest has printed is still to be shown.
    wait $monitor_pid || monitor_status=$?
  fi
}
