# Bochs as a machine (sourced).

BOCHS_MOST_MEMORY=2048 # MiB; more, and it does not start
BOCHS_PROCESSOR=corei7_skylake_x
bochs=() # the command that starts it

bochs_find() { # bochs_find VERSION: the private one of that version, else for 3.0 the system's if it is not older
  local folder=$CACHE/bochs-$1 library version
  bochs_version=$1
  if [ -x "$folder/usr/bin/bochs-bin" ]; then
    library=$folder/usr/lib/x86_64-linux-gnu
    bochs=(env "LTDL_LIBRARY_PATH=$library/bochs/plugins" "BXSHARE=$folder/usr/share/bochs" "$folder/$PRIVATE_LOADER"
      --library-path "$library:$folder/lib/x86_64-linux-gnu:$library/pulseaudio" "$folder/usr/bin/bochs-bin")
    return
  fi
  [ "$1" = 3.0 ] || return
  for bochs in bochs-bin bochs; do # Debian's "bochs" is a shell wrapper around bochs-bin
    have $bochs || continue
    version=$($bochs --help 2>&1 < /dev/null | sed -n 's/.*Bochs x86 Emulator \([0-9]*\).*/\1/p')
    [ "${version:-0}" -lt 3 ] || ! bochs_models | grep -x $BOCHS_PROCESSOR > /dev/null || return 0
  done
  return 1
}

bochs_models() { "${bochs[@]}" --help cpu < /dev/null 2>&1 | sed -n '/^Supported CPU models/,$ s/^[a-z0-9_]*$/&/p' | grep .; }

bochs_processor() { # sets processor
  processor=$BOCHS_PROCESSOR
  [ -z "$PROCESSOR" ] || pick_processor "$PROCESSOR" "$(bochs_models)"
}

bochs_memory() { # sets memory, the machine's MiB
  local most
  memory=$(machine_mebibytes)
  most=$((BOCHS_MOST_MEMORY - 64 - $(files_mebibytes)))
  [ $memory -le $BOCHS_MOST_MEMORY ] || [ $most -lt 2 ] ||
    fail $BAD_USAGE "MEMORY=$MEMORY does not fit: Bochs has at most ${BOCHS_MOST_MEMORY}M, $(files_advice)${most}M for the guest"
  [ $memory -le $BOCHS_MOST_MEMORY ] ||
    fail $BAD_USAGE "GUEST and MODULES do not fit: they have $(files_mebibytes) MiB, and Bochs at most ${BOCHS_MOST_MEMORY}M; take smaller ones"
  # As much again is free for the roots that a guest under shadow tables loads without exits, each at its own address.
  [ -z "$SHADOW" ] || memory=$((memory + $(memory_mebibytes)))
  [ $memory -le $BOCHS_MOST_MEMORY ] || memory=$BOCHS_MOST_MEMORY
  # A whole GiB that is aligned to its size must be free beside Martlet.
  [ "$(memory_mebibytes)" -lt 1024 ] || memory=$BOCHS_MOST_MEMORY
}

files_advice() { # what the files take of that, if it counts
  local files
  files=$(files_mebibytes)
  [ "$files" -lt 2 ] || printf %s "$files MiB for the files of GUEST and MODULES, "
}

bochs_configuration() { # bochs_configuration MODEL MEMORY IMAGE
  local exclude=
  # These stop the emulator over CET, and at VM exits of a guest with LA57 to a host without, and mishandle protection keys;
  # 2.7 cannot exclude any.
  case $bochs_version:$1 in
  3.0:tigerlake | 3.0:*icelake* | 3.0:sapphire_rapids | 3.0:arrow_lake) exclude=', exclude_features="cet la57 pku pks"' ;;
  esac
  cat << CONFIGURATION
romimage: file=\$BXSHARE/BIOS-bochs-latest
vgaromimage: file=\$BXSHARE/VGABIOS-lgpl-latest
megs: $2
cpu: model=$1, count=1, ips=$IPS, reset_on_triple_fault=0$exclude
clock: sync=none
ata0-master: type=cdrom, path=$3, status=inserted
ata1: enabled=0
boot: cdrom
display_library: term
port_e9_hack: enabled=1
log: bochs.log
panic: action=fatal
CONFIGURATION
  [ "$bochs_version" != 2.7 ] || echo "sound: driver=dummy" # it dies in its sound set-up otherwise
}

bochs_line() { # bochs_line NUMBER MODE DEVICE: one of the serial ports
  echo "com$1: enabled=1, mode=$2, dev=$3"
}

bochs_monitor() { # bochs_monitor NUMBER: the serial port of the monitor, which waits for Bochs
  bochs_line "$1" socket-client "127.0.0.1:$monitor_port"
}

bochs_command() { # sets command: Bochs on the configuration in the folder where it is started
  # Without a terminal on its input, "term" neither draws nor asks; but its library would believe COLUMNS and LINES.
  command=(env -u COLUMNS -u LINES TERM=dumb "${bochs[@]}" -q -f bochsrc)
  [ "$bochs_version" = 2.7 ] || return 0
  echo c > "$run/debugger.rc" # 2.7 has its debugger built in and starts at its prompt
  command+=(-rc debugger.rc)
}

bochs_console() { # Bochs's output without its own words: a banner between two bars; in 2.7 also the debugger's
  local line bars=0
  while [ $bars -lt 2 ] && IFS= read -r line; do
    case $line in ====*) bars=$((bars + 1)) ;; esac
  done
  case $bochs_version in
  2.7) exec sed -u -e '1,/^(0) \[0x/d' -e '/^(0)\.\[/d' -e 's/(0)\.\[[0-9]*\] \[0x.*//' ;;
  *) exec cat ;;
  esac
}

bochs_last_words() { # why it ended, in words; nothing when it was switched off
  sed -n '/Shutdown port/d; s/.*>>PANIC<< /Bochs: /p' bochs.log machine.err | tail -n 1 |
    sed 's/3rd .* exception with no resolution/& (a triple fault)/'
}

bochs_prepare() { # bochs_prepare VERSION: all that is needed to start the kernel by GRUB
  local modules=() i memory loaded
  bochs_find "$1" || fail $NO_MACHINE "Bochs $1 is not set up: type \"make setup\"$([ "$1" = 3.0 ] || echo ', here with "Tools/setup test"')"
  bochs_processor
  bochs_memory
  # Where a page fault exits in the middle of a virtual interrupt's delivery, Bochs does not say which interrupt it was.
  [ "$MMU" != shadow ] || EXTRA="apic=tpr${EXTRA:+ $EXTRA}"
  record_way=parallel
  for i in "${!module_names[@]}"; do
    modules+=("$run/files/${module_names[i]}" "$(module_string "$i")")
  done
  TMPDIR=$run ONCE=1 BOOT=$BOOT "$ROOT/Tools/iso" "$run/machine.iso" "$run/files/${KERNEL##*/}" "$(kernel_words)" "${modules[@]}"
  loaded=$(files_mebibytes)
  [ "$loaded" -lt 4 ] || say "Bochs starts, and GRUB loads $loaded MiB: some seconds"
  {
    bochs_configuration "$processor" $memory machine.iso
    # The console is port 0xE9: COM1 carries the input alone, so a pipe can be its terminal.
    ! input_wanted || bochs_line 1 term input
    [ -z "$TRACE_FILE" ] || echo "parport1: enabled=1, file=records"
    if monitor_wanted; then
      bochs_monitor 2
      bochs_line 3 file report
    else
      bochs_line 2 file report
      bochs_line 4 term stop
    fi
  } > "$run/bochsrc"
  bochs_command
  console=bochs_console last_words=bochs_last_words
}
