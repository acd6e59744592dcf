# The figures of Tools/bench-mmu, "COLUMN NAME NUMBER" a line, as text and as the page.
# Variables: columns, their names in order, WAY-off or WAY-on; page, the file to write; template, what it is made of.

BEGIN {
  column_count = split(columns, column, " ")
  # UnixBench's tests, by the workloads that are like them.
  split("integers floats exec copy-1024 copy-256 copy-4096 pipe switch fork shell-1 shell-8 call", of_index, " ")
  text["integers"] = "whole numbers and text"; text["floats"] = "floating point"
  text["touch"] = "a page touched the first time"; text["touch-again"] = "a page touched again"
  text["random"] = "an access at random in 64 MiB"; text["protect"] = "mprotect twice, and a write"
  text["unmap"] = "munmap, a page"; text["call"] = "a system call"
  text["pipe"] = "512 bytes through a pipe"; text["switch"] = "a switch between processes"
  text["fork"] = "fork, exit, wait"; text["exec"] = "exec, exit, wait"
  text["copy-256"] = "256 bytes copied"; text["copy-1024"] = "1024 bytes copied"; text["copy-4096"] = "4096 bytes copied"
  text["shell-1"] = "a shell script"; text["shell-8"] = "a shell script, eight at once"
  # What the literature measured, as the time that shadow paging takes for what takes nested paging 1.
  book["touch"] = 3.55; book["exec"] = 9.06; book["fork"] = 10.32; book["call"] = 13.61
}

{ value[$1, $2] = $3 }
$2 in text && !($2 in seen) { seen[$2] = 1; row[++row_count] = $2 }

function label(name) {
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
  for (number = sprintf("%d", number); length(number) > 3; number = substr(number, 1, length(number) - 3))
    result = "," substr(number, length(number) - 2) result
  return number result
}
function table_line(name, what, empty,   i) {
  printf "%-30s", what
  for (i = 1; i <= column_count; i++)
    printf " %13s", (column[i], name) in value ? grouped(value[column[i], name]) : empty
  print ""
}

END {
  printf "%-30s", "instructions a round"
  for (i = 1; i <= column_count; i++) printf " %13s", label(column[i])
  print ""
  for (r = 1; r <= row_count; r++) table_line(row[r], text[row[r]], "?")
  table_line("exits", "VM exits, boot and all", "-")
  table_line("pages", "EPT pages", "-")
  table_line("shadow-pages", "shadow tables", "-")
  printf "%-30s", "index, bare being 100"
  for (i = 1; i <= column_count; i++) printf " %13.1f", index_of(column[i])
  print "\n"
  print "An emulator counts instructions. It shows what exits and Martlet's own work cost, and the same again on every run; not what the"
  print "processor's walks of the tables cost, which are longer with two sets of tables, nor misses of caches: the size of pages in the"
  print "EPT and VPID change no count here."

  while ((getline line < template) > 0) {
    if (line != "<!-- figures -->") { print line > page; continue }
    for (i = 1; i <= column_count; i++)
      if (column[i] !~ /^bare/) indices = indices sprintf("<tr><th>%s</th><td>%.1f</td><td>%s</td></tr>", label(column[i]), index_of(column[i]), grouped(value[column[i], "exits"]))
    print "<table><tr><th></th><th>index, the machine without Martlet being 100</th><th>VM exits</th></tr>" indices "</table>" > page
    for (r = 1; r <= row_count; r++) {
      most = 0
      for (i = 1; i <= column_count; i++) if (value[column[i], row[r]] > most) most = value[column[i], row[r]]
      note = row[r] in book ? sprintf(" <small>in the literature shadow paging takes %.1f times as long as nested paging</small>", book[row[r]]) : ""
      print "<section><h2>" text[row[r]] note "</h2>" > page
      for (i = 1; i <= column_count; i++) {
        number = value[column[i], row[r]]
        class = column[i]
        sub(/-.*/, "", class)
        printf "<div class=\"line\"><span>%s</span><i class=\"%s\" style=\"width:%.2f%%\"></i><b>%s</b></div>\n", label(column[i]), class, number * 62 / most, grouped(number) > page
      }
      print "</section>" > page
    }
  }
  close(page)
}
