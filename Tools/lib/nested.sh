# What nested KVM on any host needs: Linux 6.1 with KVM and QEMU, running in Bochs (sourced).

NESTED=$CACHE/linux-6.1 # vmlinuz, and base.cpio: an initramfs with KVM's modules, QEMU and its libraries

nested_missing() { missing_of "$NESTED" vmlinuz base.cpio busybox; }
nested_ready() { [ -z "$(nested_missing)" ]; }

nested_fetch() {
  local root=$CACHE/linux-6.1.root.$$ out=$CACHE/linux-6.1.new.$$ tree file library
  # linux-image-cloud-amd64 is Debian's kernel for virtual machines: small, and quick to boot in an emulator.
  private_unpack bookworm "$root" "Linux 6.1, busybox and QEMU with its libraries" \
    linux-image-cloud-amd64 busybox-static qemu-system-x86 seabios
  say "building the initramfs for nested KVM"
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
  "$ROOT/Tools/nested/archive" "$tree" "$root/bin/busybox" "$out/base.cpio"
  cp "$root"/boot/vmlinuz-* "$out/vmlinuz"
  cp "$root/bin/busybox" "$out"
  rm -rf "$tree" "$root" "$NESTED"
  mv "$out" "$NESTED"
}

strip_module() { # with symbols and type information a module loads several times more slowly
  local tool
  for tool in llvm-objcopy objcopy; do
    ! have $tool || { $tool --strip-unneeded -R .BTF "$1"; return; }
  done
}
