# What the kernel said on the report channel (sourced). A line is one of
#   error TEXT          an error message; on the console already unless TRACE=off
#   at 0xADDRESS        where a panic happened
#   frame 0xADDRESS     a return address of its backtrace, innermost first
#   record BASE64       an exit record, of 120 bytes
#   status N WORDS      the verdict, last

report_records() { # the exit records, as the file TRACE_FILE; one that was cut off is cut off there too
  [ -z "$TRACE_FILE" ] || report_lines record | base64 -d > "$TRACE_FILE" 2> /dev/null || :
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
