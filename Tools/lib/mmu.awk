# Prints the figures of Tools/bench-mmu, each a line "COLUMN NAME NUMBER", as text and as the page.
# Variables: columns, their names in order, WAY-off or WAY-on; unit, instructions or nanoseconds; page, the file to write; template, the
# file that it is made from, whose lines between "<!-- UNIT -->" and "<!-- both -->" are for that unit only. The columns of the guest
# "spaces" are spaces-WAY; those of the model of a processor's caches, walks-WAY: only with instructions.

BEGIN {
  count["linux"] = split(columns, linux, " ")
  for (i in linux) column["linux", i] = linux[i]
  count["spaces"] = split("bare nested shadow direct", ways, " ")
  for (i in ways) column["spaces", i] = "spaces-" ways[i]
  count["walks"] = split("tables tables-off nested-4k nested-4k-off nested-2m nested-2m-off nested-1g nested-1g-off", ways, " ")
  for (i in ways) column["walks", i] = "walks-" ways[i]
  # UnixBench's tests, each represented by a similar workload.
  split("integers floats exec copy-1024 copy-256 copy-4096 pipe switch fork shell-1 shell-8 call", of_index, " ")
  text["integers"] = "whole numbers and text"; text["floats"] = "floating point"
  text["touch"] = "a page touched the first time"; text["touch-again"] = "a page touched again"
  text["random"] = "an access at random in 64 MiB"; text["protect"] = "mprotect twice, and a write"
  text["unmap"] = "munmap, a page"; text["call"] = "a system call"
  text["pipe"] = "512 bytes through a pipe"; text["switch"] = "a switch between processes"
  text["fork"] = "fork, exit, wait"; text["exec"] = "exec, exit, wait"
  text["copy-256"] = "256 bytes copied"; text["copy-1024"] = "1024 bytes copied"; text["copy-4096"] = "4096 bytes copied"
  text["again"] = "a page touched again, all in turn"; text["exits"] = "CPUID, and 16 pages touched"
  text["shell-1"] = "a shell script"; text["shell-8"] = "a shell script, eight at once"
  # The literature's measurements: the time with shadow paging, if nested paging takes 1.
  book["touch"] = 3.55; book["exec"] = 9.06; book["fork"] = 10.32; book["call"] = 13.61
}

function part_of(name) { return name ~ /^spaces-/ ? "spaces" : name ~ /^walks-/ ? "walks" : "linux" }
{ value[$1, $2] = $3; part = part_of($1) }
(part != "linux" || $2 in text && $2 != "exits") && !((part, $2) in seen) { seen[part, $2] = 1; row[part, ++row_count[part]] = $2 }

function meaning(name, part,   size) {
  if (name in text && !(part != "linux" && name == "touch-again")) return text[name]
  size = name
  sub(/.*-/, "", size)
  if (name ~ /^random-/) return "an access at random in " (size == 1024 ? "1 GiB" : size " MiB")
  if (name ~ /^switch-/) return "a switch among " size " spaces, 8 pages"
  if (name ~ /^tagged-/) return "the same with identifiers, " size
  return name
}
function label(name) {
  if (sub(/^walks-/, "", name)) {
    sub(/^tables/, "one set", name)
    sub(/^nested-4k/, "EPT 4K", name); sub(/^nested-2m/, "EPT 2M", name); sub(/^nested-1g/, "EPT 1G", name)
    sub(/-off$/, " (-)", name)
    return name
  }
  sub(/^spaces-/, "", name)
  sub(/-off$/, "", name)
  if (sub(/-on$/, "", name)) name = name ", KPTI"
  return name
}
function bare_of(name) { return name ~ /-on$/ ? "bare-on" : "bare-off" }
function index_of(name,   i, sum) {
  for (i = 1; i in of_index; i++) sum += log(value[bare_of(name), of_index[i]] / value[name, of_index[i]])
  return 100 * exp(sum / (i - 1))
}
function grouped(number,   result) {
  if (number ~ /\./) return number
  for (number = sprintf("%d", number); length(number) > 3; number = substr(number, 1, length(number) - 3))
    result = "," substr(number, length(number) - 2) result
  return number result
}
function heading(part, what,   i) {
  printf "%-40s", what
  for (i = 1; i <= count[part]; i++) printf " %13s", label(column[part, i])
  print ""
}
function table_line(part, name, what, empty,   i) {
  printf "%-40s", what
  for (i = 1; i <= count[part]; i++)
    printf " %13s", ((column[part, i], name) in value) ? grouped(value[column[part, i], name]) : empty
  print ""
}
function rows(part, empty,   r) {
  for (r = 1; r <= row_count[part]; r++) table_line(part, row[part, r], meaning(row[part, r], part), empty)
}
function bars(part,   r, i, most, note, class, number) {
  for (r = 1; r <= row_count[part]; r++) {
    most = 0
    for (i = 1; i <= count[part]; i++) if (value[column[part, i], row[part, r]] + 0 > most) most = value[column[part, i], row[part, r]] + 0
    note = part == "linux" && row[part, r] in book ? sprintf(" <small>in the literature shadow paging takes %.1f times as long as nested paging</small>", book[row[part, r]]) : ""
    print "<section><h3>" meaning(row[part, r], part) note "</h3>" > page
    for (i = 1; i <= count[part]; i++) {
      if (!((column[part, i], row[part, r]) in value)) continue
      number = value[column[part, i], row[part, r]]
      class = column[part, i]
      sub(/^(spaces|walks)-/, "", class)
      sub(/-.*/, "", class)
      printf "<div class=\"line\"><span>%s</span><i class=\"%s\" style=\"width:%.2f%%\"></i><b>%s</b></div>\n", label(column[part, i]), class, (most > 0 ? number * 62 / most : 0), grouped(number) > page
    }
    print "</section>" > page
  }
}

END {
  heading("linux", unit " a round, in Linux")
  rows("linux", "?")
  table_line("linux", "exits", "VM exits, boot and all", "-")
  table_line("linux", "pages", "EPT pages", "-")
  table_line("linux", "shadow-pages", "shadow tables", "-")
  printf "%-40s", "index, bare being 100"
  for (i = 1; i <= count["linux"]; i++) printf " %13.1f", index_of(column["linux", i])
  print "\n"
  heading("spaces", unit " a round, guest \"spaces\"")
  rows("spaces", "-")
  print ""
  if (row_count["walks"]) {
    heading("walks", "entries loaded in an access; (-) no VPID")
    rows("walks", "-")
    print ""
  }
  while ((getline line < caveat) > 0) print line
  close(caveat)

  only = "both"
  while ((getline line < template) > 0) {
    if (line ~ /^<!-- (instructions|nanoseconds|both) -->$/) {
      split(line, marks, " ")
      only = marks[2]
    } else if (only != "both" && only != unit) continue
    else if (line == "<!-- linux -->") {
      indices = ""
      for (i = 1; i <= count["linux"]; i++)
        if (linux[i] !~ /^bare/) indices = indices sprintf("<tr><th>%s</th><td>%.1f</td><td>%s</td></tr>", label(linux[i]), index_of(linux[i]), grouped(value[linux[i], "exits"]))
      print "<table><tr><th></th><th>index, " (unit == "nanoseconds" ? "KVM's guest" : "the machine") " without Martlet being 100</th><th>VM exits</th></tr>" indices "</table>" > page
      bars("linux")
    } else if (line == "<!-- spaces -->") bars("spaces")
    else if (line == "<!-- walks -->") bars("walks")
    else if (line == "<!-- caveat -->") {
      while ((getline line < caveat) > 0) print line > page
      close(caveat)
    } else print line > page
  }
  close(page)
}
