# What the kernel said on the report channel (sourced). A line is one of
#   error TEXT          an error message; on the console already unless TRACE=off
#   at 0xADDRESS        where a panic happened
#   frame 0xADDRESS     a return address of its backtrace, innermost first
#   record BASE64       an exit record, of 120 bytes, where there is no better way for them
#   records N           how many records there are, when all are on their way
#   status N WORDS      the verdict, last

record_way=report # how exit records leave the machine: as lines of the report, or as they are, to the file "records"
RECORD_SIZE=120

records_open() { # what the machine writes as it is, goes into TRACE_FILE at once, whatever becomes of us
  [ -z "$TRACE_FILE" ] || [ $record_way = report ] || ln -sf "$TRACE_FILE" records
}

records_close() { # TRACE_FILE is whole, or has all records so far; fails, with a sentence, if some could not be written
  local size expected
  [ -n "$TRACE_FILE" ] || return 0
  [ $record_way != report ] || report_lines record | base64 -d > "$TRACE_FILE" || :
  size=$(stat -c %s "$TRACE_FILE")
  expected=$(report_lines records | tail -n 1)
  if [ -z "$expected" ]; then
    truncate -s $((size / RECORD_SIZE * RECORD_SIZE)) "$TRACE_FILE"
  elif [ "$size" != $((expected * RECORD_SIZE)) ]; then
    say "TRACE_FILE: $((size / RECORD_SIZE)) of $expected records were written: is there no room left beside $TRACE_FILE?"
    return 1
  fi
}

report_lines() { # report_lines KIND: what follows that word, a line each
  tr -d '\r' < report | sed -n "s/^$1 //p"
}

report_errors() {
  local text
  [ "$TRACE" = off ] || return 0
  report_lines error | while IFS= read -r text; do say "$text"; done
}

symbolizer() { # LLVM's, from the path or from beside the Swift compiler
  local tool
  if have llvm-symbolizer; then echo llvm-symbolizer; return; fi
  tool=$(dirname "$(readlink -f "$(command -v swiftc)")")/llvm-symbolizer
  [ -x "$tool" ] && echo "$tool"
}

plain_names() { # Swift's symbol names as they are written in the source
  if have swift-demangle; then swift-demangle --simplified; else cat; fi
}

report_backtrace() { # each frame's function, file and line, with the functions inlined there
  local addresses address tool
  # A return address is behind the call: one less is inside it.
  addresses=$(tr -d '\r' < report | sed -n 's/^at \(0x[0-9a-fA-F]\{1,16\}\)$/\1/p; s/^frame \(0x[0-9a-fA-F]\{1,16\}\)$/\1-1/p' |
    while read -r address; do printf '0x%x\n' $((address)); done)
  [ -n "$addresses" ] || return 0
  tool=$(symbolizer) || { say "no llvm-symbolizer: the backtrace stays in addresses"; return 0; }
  "$tool" --obj="files/${KERNEL##*/}" --functions=linkage --pretty-print $addresses < /dev/null |
    plain_names | sed -e '/^$/d' -e "s|$ROOT/||" -e 's|^|  |'
}

report_status() { # prints "N WORDS", nothing when the kernel gave no verdict
  report_lines status | sed -n '/^[0-9]\{1,3\}\( \|$\)/p' | tail -n 1
}
