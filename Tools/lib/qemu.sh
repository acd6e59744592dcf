# QEMU as a machine, with KVM or without (sourced).

kvm_usable() { # whether this host's KVM lends its VMX to guests
  [ -r /dev/kvm ] && [ -w /dev/kvm ] && grep -qs '[Y1]' /sys/module/kvm_intel/parameters/nested
}

qemu_ready() { # qemu_ready kvm|tcg: ends in words unless this host has it
  have qemu-system-x86_64 || fail $NO_MACHINE "QEMU is not set up: type \"make setup\""
  [ "$1" != kvm ] || kvm_usable ||
    fail $NO_MACHINE "MACHINE=kvm: this host offers no VMX to guests (/dev/kvm, and kvm_intel with nested=Y): use MACHINE=bochs"
}

qemu_memory() { # prints the machine's MiB
  local guest
  guest=$(memory_mebibytes)
  if [ "$LARGE" = 1g ]; then
    # From 3 GiB on QEMU puts the memory beyond the first two above 4 GiB: there every GiB is whole and aligned.
    echo $(((guest + 1023) / 1024 * 1024 + 2048 + $(files_mebibytes)))
  else
    machine_mebibytes
  fi
}

qemu_arguments() { # sets arguments: the machine and what it starts, by base names
  local initrd= string i
  arguments=(-machine q35 -m "$(qemu_memory)M" -nodefaults -no-user-config -display none -no-reboot
    -device isa-debug-exit,iobase=0xf4,iosize=4
    -kernel "${KERNEL##*/}")
  string=$(kernel_words)
  arguments+=(-append "${string#* }") # QEMU puts the kernel's name before it
  for i in "${!module_names[@]}"; do
    string=$(module_string "$i")
    initrd+="${initrd:+,}${string//,/,,}"
  done
  [ -z "$initrd" ] || arguments+=(-initrd "$initrd")
}

qemu_lines() { # qemu_lines MONITOR REPORT STOP: adds the serial ports to arguments, the console first
  arguments+=(-serial stdio)
  if monitor_wanted; then
    arguments+=(-serial "$1" -serial "file:$2")
  else
    arguments+=(-serial "file:$2" -chardev "pipe,id=stop,path=$3" -device isa-serial,iobase=0x2e8,irq=3,chardev=stop)
  fi
}

qemu_last_words() { tail -n 3 machine.err | sed 's/^qemu-system-x86_64: //'; }

qemu_prepare() { # qemu_prepare kvm|tcg
  local arguments
  qemu_ready "$1"
  processor=host
  [ "$1" = kvm ] || processor=max
  if [ -n "$PROCESSOR" ]; then
    pick_processor "$PROCESSOR" "$(qemu-system-x86_64 -cpu help | sed -n '/^Recognized/,$d; s/^x86 \([^ ]*\).*/\1/p')"
    [ "$1" != kvm ] || processor+=,+vmx
  fi
  record_way=port
  qemu_arguments
  [ -z "$TRACE_FILE" ] || arguments+=(-chardev file,id=records,path=../records -device isa-debugcon,iobase=0x402,chardev=records)
  qemu_lines "tcp:127.0.0.1:$monitor_port" ../report ../stop
  command=(env -C files qemu-system-x86_64 -accel "$1" -cpu "$processor" "${arguments[@]}")
  ! input_wanted || machine_input=input
  console=cat last_words=qemu_last_words
}
