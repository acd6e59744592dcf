# The guest's terminal: what is typed, or comes from a pipe, goes to the machine's COM1, and its text screen is drawn (sourced).
# A named pipe in the run's folder carries it, since every machine can read one: Bochs as the device of its COM1, QEMU as
# its standard input. It is open for writing as long as the run, so the machine never sees its end.

ESCAPE=$'\x01' # Ctrl-A, as QEMU has it
terminal_settings= # as they were
rows= # of the terminal, if the guest's screen is drawn there

input_wanted() { # whether what is typed is the guest's; a monitor types itself
  ! monitor_wanted && [ "$INPUT" != off ] && [ -e /proc/self/fd/0 ] && { [ ! -t 0 ] || terminal_is_ours; }
}

terminal_is_ours() { # not so in the background: who touches the terminal there is stopped
  local state
  read -r state < /proc/self/stat
  set -- ${state##*) }
  [ "$3" = "$6" ] # the process group, and that of the terminal's foreground
}

signals_wanted() { # whether Ctrl-C is the person's, and not the guest's: a Linux knows what to do with it
  [ "$INPUT" != on ] &&
    ! { [ "$GUEST" != tour ] && [ "$(tail -c +515 "$run/files/${module_names[0]}" | head -c 4 | tr -d '\0')" = HdrS ]; }
}

terminal_measure() { # sets rows, if the guest's screen can be drawn as it changes
  local size
  [ "$SCREEN" != off ] && [ -t 1 ] && ! monitor_wanted && [ "${TERM:-dumb}" != dumb ] || return 0
  { size=$(stty size <&6); } 6>&1
  [ "${size#* }" -lt 80 ] || [ "${size% *}" -lt 2 ] || rows=${size% *}
}

input_open() { # makes the pipe, and the terminal the guest's
  local ends
  mkfifo "$run/input" "$run/never"
  exec 3<&0 4<> "$run/input"
  [ -t 3 ] || { [ -z "$PROMPT" ] || input_read; return 0; }
  terminal_settings=$(stty -g <&3)
  # Control characters go to the guest. Lines of Martlet's own still begin on the left.
  if signals_wanted; then
    stty raw -echo opost onlcr isig quit undef susp undef <&3
    ends="Ctrl-C or Ctrl-A x ends the machine"
  else
    stty raw -echo opost onlcr <&3
    ends="Ctrl-A x ends the machine"
  fi
  # The shell's own "read" would give the terminal back its signals at every character: not so from a pipe.
  input_read
  say "what you type goes to the guest's COM1; $ends, Ctrl-A Ctrl-A is a Ctrl-A"
}

input_read() { # reads it through a pipe, whose end comes with the launcher's
  exec 5< <(exec "${tether[@]}" cat <&3)
  children+=($!)
}

input_close() {
  # A machine that was ended may have left its colours, and no cursor.
  [ -z "$rows" ] || printf '\e[0m\e[?25h' 2> /dev/null || : # the terminal may be gone
  rows=
  [ -z "$terminal_settings" ] || stty "$terminal_settings" <&3 || :
  terminal_settings=
}

input_feed() { # carries the input to the pipe; ends only when the machine is to end
  if [ -t 3 ]; then input_typed; else input_piped; fi >&4
}

input_typed() {
  local character escaped=
  # A NUL ends what "read" reads, so it comes as nothing at all.
  while LC_ALL=C IFS= read -r -d '' -n 1 character <&5; do
    if [ -n "$escaped" ]; then
      escaped=
      case $character in
      x | X) return ;;
      "$ESCAPE" | a) printf %s "$ESCAPE" ;;
      esac
    elif [ "$character" = "$ESCAPE" ]; then
      escaped=1
    elif [ -z "$character" ]; then
      printf '\0'
    else
      printf %s "$character"
    fi
  done
  stay # the terminal is gone; the machine need not be
}

input_piped() { # each line when the guest asks for it, and the end as Ctrl-D, if it is known how it asks (PROMPT)
  local line end=$'\n'
  # Nobody ever writes to the second.
  [ -n "$PROMPT" ] || exec "${tether[@]}" cat - "$run/never" <&3
  seen=0
  while [ -n "$end" ]; do
    IFS= read -r line <&5 || end=
    [ -n "$line$end" ] || break
    input_wait
    printf '%s%s' "$line" "$end"
  done
  input_wait
  printf '\004'
  stay
}

stay() { # does nothing as long as the launcher lives, however it ends
  local idle
  exec {idle}<> <(:) # nothing ever comes in
  while kill -0 $$ 2> /dev/null; do read -r -t 1 -u $idle || :; done
}

input_wait() { # waits until what the guest printed since the last time ends in PROMPT
  local text
  while :; do
    text=$(tail -c +$((seen + 1)) "$run/console.log" | tail -c 100 | tr -d '\0')
    text=${text//$'\e[6n'/} # a shell that asks where the cursor is
    case $text in *"$PROMPT") break ;; esac
    kill -0 $$ 2> /dev/null || exit
    sleep 0.05
  done
  seen=$(wc -c < "$run/console.log")
}
