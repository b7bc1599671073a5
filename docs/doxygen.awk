# Doxygen's input filter: the headers are written to be read as they stand, and their texts are laid out by hand.
#   the comment at the head of a file      belongs to the file; its lines are kept
#   the first paragraph before a symbol    is its summary; the lines of the rest are kept
#   a plain comment behind a member        explains that member
function behind(line) {
  if (match(line, /[;,{}A-Za-z0-9] +\/\* /)) sub(/ \/\* /, " /**< ", line)
  else if (line ~ /^ +\/\* .*\*\/$/ && member) sub(/\/\* /, "/**< ", line)
  return line
}
NR == 1 && $0 == "/*" { print "/** @file"; print "@verbatim"; kept = 1; next }
NR == 1 { sub(/^\/\*/, "/** @file\n"); print; next }
/^\/\*\*$/ { inside = 1; print; next }
(inside || kept) && / \*\/$/ {
  if (kept) { sub(/ *\*\/$/, ""); if ($0 ~ /[^ ]/) print; print "@endverbatim */" } else print
  inside = kept = 0
  next
}
inside && !kept && /^ \*$/ { print " * @verbatim"; kept = 1; next }
inside || kept { print; next }
{ member = $0 ~ /^  [a-zA-Z_].*[;,]?$/; print behind($0) }
