# Linux as a guest and without Martlet, on Bochs skylake_x with one processor, where the time stamp counts instructions: kernel,
# initramfs, command line, memory and the loader (Tools/linux/stub.asm) are the same (sourced; wants $work, a folder).

linux_bench_ready() {
  linux_ready || fail $NO_MACHINE "Linux is not set up: type \"Tools/setup linux\""
  bochs_find 3.0 || fail $NO_MACHINE "Bochs 3.0 is not set up: type \"make setup\""
  linux_initramfs
  nasm -f elf32 -w+error -o "$work/stub.o" "$ROOT/Tools/linux/stub.asm"
  ld.lld -m elf_i386 -static -n --image-base=0x100000 -Ttext=0x101000 -e start -o "$work/stub.elf" "$work/stub.o"
}

linux_bench_memory=256 # MiB

# linux_words SPEED SCRIPT: the kernel's command line. The clock is told, since emulators tell it wrong; what one side would
# do otherwise is left out. $mitigations are none, unless told.
linux_words() {
  local ips=${1%M}000000
  printf %s "console=ttyS0 quiet loglevel=3 nokaslr ${mitigations:-mitigations=off} tsc=reliable tsc_early_khz=$((ips / 1000)) lpj=$((ips / 250))" \
    " no_timer_check idle=halt random.trust_cpu=on norandmaps cryptomgr.notests init_on_alloc=0 audit=0" \
    " apparmor=0 nowatchdog ipv6.disable=1 8250.nr_uarts=1 i8042.nokbd i8042.noaux i8042.nopnp i8042.dumbkbd $2"
}

linux_bare() { # linux_bare SPEED SCRIPT: the console's output
  local folder=$work/bare-$1-$BASHPID IPS=${1%M}000000
  mkdir -p "$folder"
  BOOT=multiboot "$ROOT/Tools/iso" "$folder/machine.iso" "$work/stub.elf" stub \
    "$LINUX/vmlinuz" "vmlinuz $(linux_words "$1" "$2")" "$LINUX_INITRAMFS" initramfs
  { bochs_configuration $BOCHS_PROCESSOR $linux_bench_memory machine.iso; echo "com1: enabled=1, mode=file, dev=console"; } > "$folder/bochsrc"
  (cd "$folder" && TERM=dumb exec "${bochs[@]}" -q -f bochsrc) < /dev/null > "$folder/out" 2>&1 || :
  cat "$folder/console"
}

linux_guest() { # linux_guest SPEED SCRIPT [KEY=value]...: the same under Martlet
  local speed=$1 script=$2
  shift 2
  env TRACE=off IPS=${speed%M}000000 MACHINE=bochs MEMORY=${linux_bench_memory}M TIMEOUT=${TIMEOUT:-600} INPUT=off CMDLINE= "$@" \
    GUEST="$work/stub.elf" MODULES="$LINUX/vmlinuz $(linux_words "$speed" "$script");$LINUX_INITRAMFS" \
    "$ROOT/Tools/martlet" 2>&1 || :
}
