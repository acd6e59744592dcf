# Linux as a guest and without Martlet, on one processor: kernel, initramfs, command line and memory are the same (sourced; needs $work,
# a folder). On Bochs skylake_x the time-stamp counter counts instructions, and the loader is the same, too (Tools/linux/stub.asm). On
# KVM it counts time: without Martlet, Linux is KVM's guest; with it, a guest of KVM's guest; both boot as a bzImage.

linux_bench_machine=bochs # or kvm

linux_bench_ready() {
  "$ROOT/Tools/martlet" machines $linux_bench_machine > /dev/null || exit
  linux_ready || fail $NO_MACHINE "Linux is not set up: run \"Tools/setup linux\""
  if [ $linux_bench_machine = kvm ]; then
    linux_initramfs
    return
  fi
  linux_initramfs
  nasm -f elf32 -w+error -o "$work/stub.o" "$ROOT/Tools/linux/stub.asm"
  ld.lld -m elf_i386 -static -n --image-base=0x100000 -Ttext=0x101000 -e start -o "$work/stub.elf" "$work/stub.o"
}

linux_bench_memory=256 # MiB

# linux_words SPEED SCRIPT: the kernel's command line. It states an emulator's clock rate, which emulators report wrongly; Linux
# measures KVM's. Whatever would differ between the two sides is turned off. By default there are no $mitigations and few $messages.
linux_words() {
  local clock=tsc=reliable ips=${1%M}000000
  [ $linux_bench_machine = kvm ] || clock+=" tsc_early_khz=$((ips / 1000)) lpj=$((ips / 250))"
  printf %s "console=ttyS0 ${messages:-quiet loglevel=3} nokaslr ${mitigations:-mitigations=off} $clock" \
    " no_timer_check idle=halt random.trust_cpu=on norandmaps cryptomgr.notests init_on_alloc=0 audit=0" \
    " apparmor=0 nowatchdog ipv6.disable=1 8250.nr_uarts=1 i8042.nokbd i8042.noaux i8042.nopnp i8042.dumbkbd $2"
}

linux_bare() { "linux_bare_$linux_bench_machine" "$@"; } # linux_bare SPEED SCRIPT: the console's output

linux_bare_bochs() {
  linux_bare_run IPS=${1%M}000000 KERNEL="$work/stub.elf" CMDLINE=stub \
    MODULES="$LINUX/vmlinuz $(linux_words "$1" "$2");$LINUX_INITRAMFS initramfs"
}

linux_bare_kvm() { # linux_bare_kvm "" SCRIPT: the speed cannot be chosen
  linux_bare_run KERNEL="$LINUX/vmlinuz" CMDLINE="$(linux_words "$1" "$2")" MODULES="$LINUX_INITRAMFS"
}

linux_bare_run() { # linux_bare_run KEY=value...
  env MACHINE=$linux_bench_machine MEMORY=${linux_bench_memory}M TIMEOUT=${TIMEOUT:-600} "$ROOT/Tools/martlet" bare "$@" 2>&1 < /dev/null || :
}

linux_clock_kvm() { # the time-stamp ticks per millisecond, which KVM reports to its guest
  messages=loglevel=7 linux_bare_kvm "" boot | tr -d '\r' > "$work/clock"
  sed -nE 's/.*tsc: Detected ([0-9]+)\.([0-9]{3}) MHz (processor|TSC)$/\1\2/p' "$work/clock" | tail -n 1
}

linux_guest() { # linux_guest SPEED SCRIPT [KEY=value]...: the same under Martlet
  "linux_guest_$linux_bench_machine" "$@" 2>&1 || :
}

linux_guest_bochs() {
  local speed=$1 script=$2
  shift 2
  linux_martlet IPS=${speed%M}000000 CMDLINE= "$@" \
    GUEST="$work/stub.elf" MODULES="$LINUX/vmlinuz $(linux_words "$speed" "$script");$LINUX_INITRAMFS"
}

linux_guest_kvm() {
  linux_martlet "${@:3}" GUEST="$LINUX/vmlinuz" CMDLINE="$(linux_words "$1" "$2")" MODULES="$LINUX_INITRAMFS"
}

linux_martlet() { # linux_martlet KEY=value...
  env TRACE=off MACHINE=$linux_bench_machine MEMORY=${linux_bench_memory}M TIMEOUT=${TIMEOUT:-600} INPUT=off "$@" "$ROOT/Tools/martlet"
}
