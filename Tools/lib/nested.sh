# Nested KVM on any host: QEMU with KVM in Linux 6.1 in Bochs (sourced).

NESTED=$CACHE/linux-6.1 # vmlinuz, and base.cpio: an initramfs with KVM's modules, QEMU and its libraries

nested_missing() { missing_of "$NESTED" vmlinuz base.cpio busybox; }
nested_ready() { [ -z "$(nested_missing)" ]; }

nested_fetch() {
  local root=$CACHE/linux-6.1.root.$$ out=$CACHE/linux-6.1.new.$$ tree file library
  # linux-image-cloud-amd64 is Debian's kernel for virtual machines: small, and quick to start in an emulator.
  private_unpack bookworm "$root" "Linux 6.1, busybox and QEMU with its libraries" \
    linux-image-cloud-amd64 busybox-static qemu-system-x86 seabios
  say "making the initramfs of nested KVM"
  tree=$out/tree
  mkdir -p "$tree"/{bin,lib,lib64,modules,firmware,dev,proc,sys}
  cp "$root"/bin/busybox "$root"/usr/bin/qemu-system-x86_64 "$tree/bin"
  cp "$root"/lib/modules/*/kernel/{virt/lib/irqbypass.ko,arch/x86/kvm/kvm.ko,arch/x86/kvm/kvm-intel.ko} "$tree/modules"
  for file in "$tree"/modules/*.ko; do strip_module "$file"; done
  for file in seabios/bios-256k.bin qemu/multiboot_dma.bin qemu/kvmvapic.bin; do
    cp "$root/usr/share/$file" "$tree/firmware"
  done
  cp "$root/$PRIVATE_LOADER" "$tree/lib64"
  library=$root/usr/lib/x86_64-linux-gnu
  "$root/$PRIVATE_LOADER" --library-path "$library:$root/lib/x86_64-linux-gnu:$library/pulseaudio" \
    --list "$root/usr/bin/qemu-system-x86_64" | sed -n "s|.* => \($root/[^ ]*\) .*|\1|p" |
    while IFS= read -r file; do cp -L "$file" "$tree/lib"; done
  nested_archive "$tree" "$root/bin/busybox" > "$out/base.cpio"
  cp "$root"/boot/vmlinuz-* "$out/vmlinuz"
  cp "$root/bin/busybox" "$out"
  rm -rf "$tree" "$root" "$NESTED"
  mv "$out" "$NESTED"
}

strip_module() { # symbols and type information make a module several times slower to load
  local tool
  for tool in llvm-objcopy objcopy; do
    ! have $tool || { $tool --strip-unneeded -R .BTF "$1"; return; }
  done
}

nested_archive() { # nested_archive FOLDER BUSYBOX: an initramfs of the folder, its owner root
  (cd "$1" && find . | sort | "$2" cpio -o -H newc -R 0:0 2> /dev/null)
}

nested_init() { # the first program of that Linux: runs QEMU, its output through Bochs's port 0xE9, and ends Bochs
  local quoted= word apostrophe="'\\''" keyboard=/dev/null line=: flush=: stop=:
  if input_wanted; then
    keyboard=/line.in line="/line 3E8 <> /line.out > /line.in"
  elif monitor_wanted; then
    line="/line 3E8 < /line.out > /line.in"
    flush=": <> /line.out; wait" # for the last answer, also when QEMU did not start
  fi
  monitor_wanted || stop="/line 2E8 < /stop.out > /stop.in"
  for word in "$@"; do quoted+=" '${word//\'/$apostrophe}'"; done
  cat << INIT
#!/bin/busybox sh
b=/bin/busybox
\$b mount -t devtmpfs dev /dev
\$b mount -t proc proc /proc
\$b mount -t sysfs sys /sys
exec < /dev/console > /dev/console 2>&1
echo 1 > /proc/sys/vm/overcommit_memory
for module in irqbypass kvm; do \$b insmod /modules/\$module.ko; done
# Bochs refuses the descriptors of posted interrupts that KVM makes.
\$b insmod /modules/kvm-intel.ko nested=1 enable_apicv=0
cd /files
\$b mkfifo /line.in /line.out /stop.in /stop.out
$line &
$stop &
LD_LIBRARY_PATH=/lib /bin/qemu-system-x86_64 -L /firmware -accel kvm -cpu host$quoted < $keyboard | /port E9
$flush
\$b stty -F /dev/ttyS1 raw
\$b cat /report > /dev/ttyS1
\$b printf Shutdown | /port 8900
INIT
}

nested_last_words() {
  local words
  words=$(bochs_last_words)
  [ -n "$words" ] || words=$(tail -n 3 linux.log | tr -d '\r')
  printf %s "$words"
}

nested_words() { # the words for the kernel with which Martlet lives with what Bochs does to KVM
  # When an interrupt of Linux's own comes in while the guest's IF is clear, Bochs delivers the guest a virtual interrupt that
  # is pending, IF or not: typed input brought Linux as a guest to a standstill.
  printf %s "apic=tpr"
  # Entered with IF clear, a guest is left by no interrupt until it changes IF. The processor's own preemption timer ends its
  # run, and that is what KVM makes Martlet's host timer of: the monitor can stop a guest that spins.
  ! monitor_wanted || printf %s " timer=host"
}

nested_memory() { # Linux keeps the files twice beside what QEMU's machine uses of its memory: as its initramfs and unpacked
  local needed=$(($(machine_mebibytes) + 2 * $(files_mebibytes) + 200))
  [ $needed -le $BOCHS_MOST_MEMORY ] ||
    fail $BAD_USAGE "the guest does not fit: MEMORY=$MEMORY and its files make $needed MiB with Linux around them, of Bochs's ${BOCHS_MOST_MEMORY}M; give less"
}

nested_prepare() {
  local arguments linux program
  nested_ready || fail $NO_MACHINE "nested KVM is not set up: type \"Tools/setup nested\""
  bochs_find 3.0 || fail $NO_MACHINE "Bochs 3.0 is not set up: type \"make setup\""
  bochs_processor
  nested_memory
  EXTRA="$(nested_words)${EXTRA:+ $EXTRA}"
  qemu_arguments
  qemu_lines pipe:/line /report /stop
  mkdir -p "$run/tree"
  cp -RL "$run/files" "$run/tree"
  for program in port line; do
    nasm -f elf64 -i "$ROOT/Tools/nested/" -o "$run/$program.o" "$ROOT/Tools/nested/$program.asm"
    ld.lld -static -o "$run/tree/$program" "$run/$program.o"
  done
  nested_init "${arguments[@]}" > "$run/tree/init"
  chmod 755 "$run/tree/init"
  nested_archive "$run/tree" "$NESTED/busybox" > "$run/run.cpio"
  # The TSC of Bochs runs at its ips; nothing else is worth finding out at every start.
  linux="console=ttyS0 quiet loglevel=3 nokaslr mitigations=off tsc=reliable tsc_early_khz=50000 lpj=200000 no_timer_check"
  linux+=" cryptomgr.notests init_on_alloc=0 audit=0 apparmor=0 selinux=0 nowatchdog random.trust_cpu=on 8250.nr_uarts=2"
  linux+=" i8042.nokbd i8042.noaux i8042.nopnp i8042.dumbkbd ipv6.disable=1 clearcpuid=fsrm,erms"
  TMPDIR=$run BOOT=linux "$ROOT/Tools/iso" "$run/machine.iso" "$NESTED/vmlinuz" "$linux" "$NESTED/base.cpio" "" "$run/run.cpio" ""
  {
    bochs_configuration "$processor" $BOCHS_MOST_MEMORY machine.iso
    bochs_line 1 file linux.log
    bochs_line 2 file report
    ! input_wanted || bochs_line 3 term input
    if monitor_wanted; then bochs_monitor 3; else bochs_line 4 term stop; fi
  } > "$run/bochsrc"
  bochs_command
  console=bochs_console last_words=nested_last_words patience=30
  say "starting Linux with KVM in Bochs (about 15 s)"
}
