# Linux as a guest: Debian's cloud kernel and a small initramfs around busybox (sourced).

LINUX=$CACHE/linux # vmlinuz, busybox, memtest (memtest86+), and version: the kernel's package
LINUX_INITRAMFS=$ROOT/build/linux/initramfs.gz

linux_missing() { missing_of "$LINUX" version vmlinuz busybox memtest; }
linux_ready() { [ -z "$(linux_missing)" ]; }

linux_suite() { # prints the machine's own Debian suite, or a default if it does not run Debian
  (. /etc/os-release && [ "$ID" = debian ] && echo "${VERSION_CODENAME:?}") 2> /dev/null || echo bookworm
}

linux_fetch() {
  local state=$CACHE/linux.fetch.$$ root=$CACHE/linux.root.$$ out=$CACHE/linux.new.$$ kernel archive
  mkdir -p "$state" "$root" "$out"
  ticking "fetching the package lists of Debian's $(linux_suite) (10 MB)" private_lists "$(linux_suite)" "$state"
  # linux-image-cloud-amd64 only depends on the package with the kernel.
  kernel=$(private_apt "$state" apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p')
  [ -n "$kernel" ] || fail $NO_MACHINE "Debian's $(linux_suite) has no linux-image-cloud-amd64"
  linux_download() { (cd "$state/archives" && private_apt "$state" apt-get -qq download "$kernel" busybox-static memtest86+); }
  ticking "fetching $kernel, busybox-static and memtest86+ (30 MB)" linux_download ||
    fail $NO_MACHINE "the packages could not be fetched"
  for archive in "$state"/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$archive" | tar -x --no-same-owner --keep-directory-symlink -C "$root"
  done
  cp "$root"/boot/vmlinuz-* "$out/vmlinuz"
  cp "$(find "$root" -path "*bin/busybox" -type f)" "$out/busybox"
  cp "$(find "$root" -name 'memtest*x64*.bin' -type f | sed -n 1p)" "$out/memtest"
  echo "$kernel" > "$out/version"
  rm -rf "$state" "$root" "$LINUX"
  mv "$out" "$LINUX"
  say "unpacked into $LINUX"
}

initramfs_fresh() { # whether it exists and is newer than its parts
  [ -e "$LINUX_INITRAMFS" ] &&
    [ -z "$(find "$ROOT/Tools/linux/initramfs" "$LINUX/busybox" "$ROOT/Tools/lib/linux.sh" -newer "$LINUX_INITRAMFS")" ]
}
initramfs_place() { mkdir -p "${LINUX_INITRAMFS%/*}" 2> /dev/null && [ -w "${LINUX_INITRAMFS%/*}" ]; } # whether it can be written there

linux_initramfs() { # builds the initramfs if a part of it is newer; the same parts give the same bytes
  local parts=$ROOT/Tools/linux/initramfs folder tree file
  ! initramfs_fresh || return 0
  if ! initramfs_place; then # the checkout is read-only; other checkouts may have other parts
    LINUX_INITRAMFS=$LINUX/initramfs-$(find "$parts" -type f | LC_ALL=C sort | tr '\n' '\0' | xargs -0 cat | cksum | tr ' ' -).gz
    ! initramfs_fresh || return 0
    initramfs_place ||
      fail $NO_MACHINE "Linux's initramfs can be written neither to $ROOT/build/linux nor to $LINUX"
  fi
  folder_open
  tree=$folder/tree
  mkdir -p "$tree"/{bin,dev,proc,sys,scripts,tmp}
  cp "$LINUX/busybox" "$tree/bin"
  "$LINUX/busybox" --list | while IFS= read -r file; do [ "$file" = busybox ] || ln -s busybox "$tree/bin/$file"; done
  cp "$parts"/{init,shell} "$tree"
  cp "$parts"/scripts/* "$tree/scripts"
  for file in mark vectors workloads; do
    nasm -f elf64 -w+error -I "$parts/" -o "$tree/$file.o" "$parts/$file.asm"
    ld.lld -static -s -o "$tree/bin/$file" "$tree/$file.o"
    rm "$tree/$file.o"
  done
  chmod -R u=rwX,go=rX "$tree"
  chmod 755 "$tree"/init "$tree"/bin/{busybox,mark,vectors,workloads}
  find "$tree" -exec touch -h -d @0 {} +
  # It must not depend on this machine: no owner, device or inode numbers, no times.
  (cd "$tree" && find . | LC_ALL=C sort | "$LINUX/busybox" cpio -o -H newc -R 0:0 --ignore-devno --renumber-inodes 2> /dev/null) |
    gzip -9n > "$folder/initramfs.gz"
  cp "$folder/initramfs.gz" "$LINUX_INITRAMFS.$$"
  mv "$LINUX_INITRAMFS.$$" "$LINUX_INITRAMFS"
  rm -rf "$folder"
}
