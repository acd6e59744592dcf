# The files that a machine starts with: the kernel, the guest and its modules (sourced).
# They are linked into the run's folder, so that every machine can name them by their base names and every guest sees
# the same module strings: module_names[i] is the name there, module_words[i] what follows it in the string.

module_names=() module_words=()

guest_names() { # the names of the guests that are built, in one line
  local file names=tour
  for file in "$ROOT"/build/guests/*.elf "$ROOT"/build/guests/*.bin; do
    [ ! -e "$file" ] || { file=${file##*/}; names+=", ${file%.*}"; }
  done
  printf %s "$names"
}

guest_file() { # prints the file of GUEST
  local name=$GUEST candidate
  for candidate in "$ROOT/build/guests/$name" "$ROOT/build/guests/$name".elf "$ROOT/build/guests/$name".bin; do
    case $name in */*) break ;; esac
    [ ! -f "$candidate" ] || { printf %s "$candidate"; return; }
  done
  [ ! -f "$name" ] || { printf %s "$name"; return; }
  case $name in
  */*) fail $BAD_USAGE "GUEST=$name: there is no such file" ;;
  *) fail $BAD_USAGE "GUEST=$name is neither a guest nor a file: the guests are $(guest_names)" ;;
  esac
}

add_module() { # add_module FILE WORDS
  local file=$1 name=${1##*/} other
  [ -r "$file" ] || fail $BAD_USAGE "MODULES: there is no file \"$file\""
  file=$(cd "$(dirname "$file")" && pwd)/$name
  name=${name// /_} # a module string is a name, a blank and the rest
  other=$run/files/$name
  [ ! -e "$other" ] || [ "$other" -ef "$file" ] || fail $BAD_USAGE "two modules are named $name: rename one"
  ln -sf "$file" "$other"
  module_names+=("$name") module_words+=("$2")
}

stage_files() {
  local file rest item
  [ -f "$KERNEL" ] || fail $BAD_USAGE "there is no kernel $KERNEL: type \"make\""
  mkdir -p "$run/files"
  ln -sf "$(cd "$(dirname "$KERNEL")" && pwd)/${KERNEL##*/}" "$run/files/${KERNEL##*/}"
  if [ "$GUEST" = tour ]; then
    [ -z "$CMDLINE$MODULES" ] || fail $BAD_USAGE "CMDLINE and MODULES need a GUEST: the tour takes none"
    return
  fi
  file=$(guest_file)
  case $file in "$ROOT/build/guests/"*) : "${FLAT:=on}" ;; esac # ours are what they are
  add_module "$file" "$CMDLINE"
  rest=$MODULES
  while rest=${rest#"${rest%%[! ;]*}"} && [ -n "$rest" ]; do
    file=$(first_file "$rest")
    rest=${rest#"$file"}
    item=${rest%%;*} # its words
    rest=${rest#"$item"}
    add_module "$file" "${item# }"
  done
  modules_fit
}

first_file() { # first_file TEXT: prints the file that it begins with, up to a blank or ";", which its path may have too
  local text=$1 path= part
  while part=${text%%[ ;]*}; do
    path+=$part
    [ ! -f "$path" ] || { printf %s "$path"; return; }
    text=${text#"$part"}
    [ -n "$text" ] || break
    path+=${text:0:1} text=${text:1}
  done
  fail $BAD_USAGE "MODULES: there is no file \"${1%%[ ;]*}\""
}

modules_fit() { # the guest's memory holds the modules; what the guest's image takes of it the loader alone knows
  local needed
  needed=$(files_mebibytes 1)
  [ "$needed" -le "$(memory_mebibytes)" ] ||
    fail $BAD_USAGE "MODULES do not fit into the guest's MEMORY=$MEMORY: they have $needed MiB; give it more"
}

files_mebibytes() { # files_mebibytes [FIRST]: what the guest's image and its modules, or those from one on, take of memory, in MiB, rounded up
  local name total=0
  for name in "${module_names[@]:${1:-0}}"; do
    total=$((total + ($(wc -c < "$run/files/$name") + 4095) / 4096))
  done
  echo $(((total + 255) / 256))
}

machine_mebibytes() { # the machine's memory: the guest's, the files that the loader puts beside it, and Martlet's own
  local size=$(($(memory_mebibytes) + $(files_mebibytes) + 64))
  # What is known of each frame takes a hundredth of the guest's memory.
  [ -z "$SHADOW" ] || size=$((size + $(mebibytes "$SHADOW") + $(memory_mebibytes) / 100))
  echo $((size < 128 ? 128 : size))
}

module_string() { printf %s "${module_names[$1]}${module_words[$1]:+ ${module_words[$1]}}"; }
