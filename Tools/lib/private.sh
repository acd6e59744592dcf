# Packages of a Debian suite with all their dependencies, unpacked into a folder of the cache (sourced).
# This machine's own packages are neither read nor changed: apt gets its own sources and lists and an empty status, so
# the closure is complete down to the C library, and the programs start through their own dynamic loader.

PRIVATE_LOADER=lib64/ld-linux-x86-64.so.2
DEBIAN_KEYS=/usr/share/keyrings/debian-archive-keyring.gpg

private_mirror() { # prints the mirror from which this machine's apt fetches Debian
  [ -z "${DEBIAN_MIRROR:-}" ] || { echo "$DEBIAN_MIRROR"; return; }
  (. /etc/os-release && [ "$ID" = debian ]) || return
  apt-get --print-uris update | sed -n "s|^'\\(.*\\)/dists/[a-z]*/InRelease'.*|\\1|p" | sed -n 1p
}

private_possible() { have apt-get && have dpkg-deb && [ "$(dpkg --print-architecture)" = amd64 ] && [ -n "$(private_mirror)" ]; }

private_apt() { # private_apt STATE COMMAND WORD...: run an apt command on the private state
  local state=$1 command=$2; shift 2
  "$command" -c "$state/apt.conf" "$@"
}

private_lists() { # private_lists SUITE STATE: an apt state that knows only this suite
  local suite=$1 state=$2
  mkdir -p "$state/lists/partial" "$state/archives/partial" "$state/preferences" && : > "$state/status" ||
    fail $NO_MACHINE "$state cannot be created"
  echo "deb [signed-by=$DEBIAN_KEYS] $(private_mirror) $suite main" > "$state/sources.list"
  # The machine's proxies and the like still apply; its sources, pins and hooks do not.
  cat > "$state/apt.conf" << CONFIGURATION
Dir { State "$state"; State::status "$state/status"; Cache "$state"; };
Dir::Etc { sourcelist "$state/sources.list"; sourceparts "-"; preferences "/dev/null"; preferencesparts "$state/preferences"; };
APT { Sandbox::User ""; Install-Recommends "0"; };
#clear APT::Update;
#clear DPkg::Pre-Install-Pkgs;
CONFIGURATION
  private_apt "$state" apt-get -qq update || fail $NO_MACHINE "the package lists of Debian's $suite could not be fetched"
}

private_unpack() { # private_unpack SUITE FOLDER WHAT PACKAGE...: fetch the closure and unpack it, all or nothing
  local suite=$1 folder=$2 what=$3 state=$2.fetch.$$ size archive; shift 3
  mkdir -p "$state/root"
  ticking "fetching the package lists of Debian's $suite (10 MB)" private_lists "$suite" "$state"
  size=$(private_apt "$state" apt-get --assume-no install "$@" |
    sed -n 's/^0 upgraded, \([0-9]*\) newly.*/\1 packages/p; s/^Need to get \(.*\) of archives.*/\1/p' | paste -s -d, || :)
  ticking "fetching $what${size:+ (${size/,/, })}" private_apt "$state" apt-get -qq --download-only -y install "$@" > /dev/null ||
    fail $NO_MACHINE "$what could not be fetched"
  for archive in "$state"/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$archive" | tar -x --no-same-owner --keep-directory-symlink -C "$state/root"
  done
  rm -rf "$folder"
  mv "$state/root" "$folder"
  rm -rf "$state"
  say "unpacked into $folder"
}
