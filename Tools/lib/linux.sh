# Linux as a guest: Debian's cloud kernel and a small initramfs around busybox (sourced).

LINUX=$CACHE/linux # vmlinuz, busybox, memtest (memtest86+), and version: the kernel's package
LINUX_INITRAMFS=$ROOT/build/linux/initramfs.gz

linux_ready() { [ -e "$LINUX/version" ]; }

linux_suite() { # prints the machine's own Debian suite, another where the machine is no Debian
  (. /etc/os-release && [ "$ID" = debian ] && echo "${VERSION_CODENAME:?}") 2> /dev/null || echo bookworm
}

linux_fetch() {
  local state=$CACHE/linux.fetch.$$ root=$CACHE/linux.root.$$ out=$CACHE/linux.new.$$ kernel archive
  mkdir -p "$state" "$root" "$out"
  say "fetching the package lists of Debian's $(linux_suite) (10 MB)"
  private_lists "$(linux_suite)" "$state"
  # linux-image-cloud-amd64 holds nothing but the name of the package with the kernel.
  kernel=$(private_apt "$state" apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p')
  [ -n "$kernel" ] || fail $NO_MACHINE "Debian's $(linux_suite) has no linux-image-cloud-amd64"
  say "fetching $kernel, busybox-static and memtest86+ (30 MB)"
  (cd "$state/archives" && private_apt "$state" apt-get -qq download "$kernel" busybox-static memtest86+) ||
    fail $NO_MACHINE "the packages could not be fetched"
  for archive in "$state"/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$archive" | tar -x --no-same-owner --keep-directory-symlink -C "$root"
  done
  cp "$root"/boot/vmlinuz-* "$out/vmlinuz"
  cp "$(find "$root" -path "*bin/busybox" -type f)" "$out/busybox"
  cp "$(find "$root" -name 'memtest*x64*.bin' -type f | head -n 1)" "$out/memtest"
  echo "$kernel" > "$out/version"
  rm -rf "$state" "$root" "$LINUX"
  mv "$out" "$LINUX"
  say "unpacked into $LINUX"
}

linux_initramfs() { # makes the initramfs when a part of it is newer; the same parts make the same bytes
  local folder=$ROOT/Tools/linux/initramfs tree file
  if [ -e "$LINUX_INITRAMFS" ] && [ -z "$(find "$folder" "$LINUX/busybox" "$ROOT/Tools/lib/linux.sh" -newer "$LINUX_INITRAMFS")" ]; then
    return
  fi
  mkdir -p "${LINUX_INITRAMFS%/*}"
  tree=$(mktemp -d "${LINUX_INITRAMFS%/*}/tree.XXXXXX")
  mkdir -p "$tree"/{bin,dev,proc,sys,scripts,tmp}
  cp "$LINUX/busybox" "$tree/bin"
  "$LINUX/busybox" --list | while IFS= read -r file; do [ "$file" = busybox ] || ln -s busybox "$tree/bin/$file"; done
  cp "$folder"/{init,shell} "$tree"
  cp "$folder"/scripts/* "$tree/scripts"
  for file in mark vectors; do
    nasm -f elf64 -w+error -o "$tree/$file.o" "$folder/$file.asm"
    ld.lld -static -s -o "$tree/bin/$file" "$tree/$file.o"
    rm "$tree/$file.o"
  done
  chmod -R u=rwX,go=rX "$tree"
  chmod 755 "$tree"/init "$tree"/bin/{busybox,mark,vectors}
  find "$tree" -exec touch -h -d @0 {} +
  # Nothing of this machine has a place in it: no owner, device or inode number, no time.
  (cd "$tree" && find . | LC_ALL=C sort | "$LINUX/busybox" cpio -o -H newc -R 0:0 --ignore-devno --renumber-inodes 2> /dev/null) |
    gzip -9n > "$LINUX_INITRAMFS.new"
  rm -rf "$tree"
  mv "$LINUX_INITRAMFS.new" "$LINUX_INITRAMFS"
}
