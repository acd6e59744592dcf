# The guest's keyboard: what is typed, or comes from a pipe, goes to the machine's COM1 (sourced).
# A named pipe in the run's folder carries it, since every machine can read one: Bochs as the device of its COM1, QEMU as
# its standard input. It is open for writing as long as the run, so the machine never sees its end.

ESCAPE=$'\x01' # Ctrl-A, as QEMU has it
terminal_settings= # as they were

input_wanted() { # whether the guest is one that reads COM1
  ! monitor_wanted || return 1 # the monitor types
  case $INPUT in
  on) return 0 ;;
  off) return 1 ;;
  esac
  [ "$GUEST" != tour ] && [ "$(head -c 518 "$run/files/${module_names[0]}" | tail -c 4 | tr -d '\0')" = HdrS ] # a Linux kernel
}

input_open() { # makes the pipe, and the terminal the guest's
  mkfifo "$run/input"
  exec 3<&0 4<> "$run/input"
  [ -t 3 ] || return 0
  terminal_settings=$(stty -g <&3)
  # Control characters go to the guest. Lines of Martlet's own still begin on the left.
  stty raw -echo opost onlcr <&3
  # The shell's own "read" would give the terminal back its signals at every character: not so from a pipe.
  exec 5< <(exec cat <&3)
  children+=($!)
  say "what you type goes to the guest's COM1; Ctrl-A x ends the machine, Ctrl-A Ctrl-A is a Ctrl-A"
}

input_close() {
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
  exec sleep infinity # the terminal is gone; the machine need not be
}

input_piped() { # each line when the guest asks for it, and the end as Ctrl-D, if it is known how it asks (PROMPT)
  local line end=$'\n'
  [ -n "$PROMPT" ] || { cat <&3; exec sleep infinity; }
  seen=0
  while [ -n "$end" ]; do
    IFS= read -r line <&3 || end=
    [ -n "$line$end" ] || break
    input_wait
    printf '%s%s' "$line" "$end"
  done
  input_wait
  printf '\004'
  exec sleep infinity
}

input_wait() { # waits until what the guest printed since the last time ends in PROMPT
  local text
  while :; do
    text=$(tail -c +$((seen + 1)) "$run/console.log" | tail -c 100 | tr -d '\0')
    text=${text//$'\e[6n'/} # a shell that asks where the cursor is
    case $text in *"$PROMPT") break ;; esac
    sleep 0.05
  done
  seen=$(wc -c < "$run/console.log")
}
