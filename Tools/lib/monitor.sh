# Talking with the monitor on the machine's second serial port (sourced). The kernel ends each of its answers with a line
# that is ">" alone; then it is this side's turn. What comes while the guest runs stops it.

monitor_port=

monitor_wanted() { [ -n "${MONITOR:-}" ]; } # something is at the second serial port
study_wanted() { [ "$MONITOR" = study ]; }

monitor_prepare() { # sets monitor_port: one of this host's TCP ports that nobody listens on
  local patience=
  monitor_wanted || return 0
  monitor_port=$PORT
  while [ -z "$PORT" ]; do
    monitor_port=$((20000 + RANDOM % 20000))
    (: < "/dev/tcp/127.0.0.1/$monitor_port") 2> /dev/null || break
  done
  [ "$MONITOR" = gdb ] || return 0
  # Linux begins to start when gdb has connected; gdb by itself would give up sooner than that is done.
  [ "$MACHINE" != nested ] || patience="-ex 'set remotetimeout 200' "
  say "the guest waits for a debugger: gdb $patience-ex 'target remote :$monitor_port'"
}

monitor_open() { # the commands are the terminal's (descriptor 3), or the lines of SCRIPT or of the standard input
  exec 3<&0
  [ -z "$SCRIPT" ] || exec 3< "$SCRIPT"
}

monitor_talk() {
  local line= partial= lines=() next=0
  [ -t 3 ] || mapfile -t lines < <(grep -v '^ *\(#.*\)\?$' <&3)
  until exec 6<> "/dev/tcp/127.0.0.1/$monitor_port"; do sleep 0.05; done 2> /dev/null
  while monitor_answer; do
    monitor_ask || line=quit
    printf '%s\n' "$line" >&6 || return 0
  done
}

monitor_answer() { # prints what comes, until it is this side's turn; false when the machine is gone
  local quiet=0 status
  while :; do
    status=0
    IFS= read -r -t 0.2 -u 6 line || status=$?
    if [ $status -gt 128 ]; then
      partial+=$line
      quiet=$((quiet + 1))
      monitor_stop
      continue
    fi
    [ $status = 0 ] || return 1
    line=$partial$line partial=
    [ "$line" != ">" ] || return 0
    printf '%s\n' "$line"
  done
}

monitor_stop() { # a key of the terminal, or a script's word "stop" when a second has brought nothing, stops a guest that runs
  local key
  if [ -t 3 ]; then
    read -r -s -t 0.001 -n 1 -u 3 key || return 0
  else
    [ $quiet -ge 5 ] && [ "${lines[next]-}" = stop ] || return 0
    next=$((next + 1))
    echo "> stop"
  fi
  printf '\n' >&6
}

monitor_ask() { # sets line to the next command; false at the end
  if [ -t 3 ]; then
    IFS= read -r -e -p "martlet> " line <&3 || return 1
    history -s -- "$line"
  else
    [ $next -lt ${#lines[@]} ] || return 1
    line=${lines[next]}
    next=$((next + 1))
    printf '> %s\n' "$line"
  fi
}
