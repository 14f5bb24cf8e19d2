# The public headers as Doxygen reads them: their comments are plain C comments in plain words, so that people need no marks in them. Here they
# get Doxygen's marks, and what would be a command or a tag there is escaped.
#   /* ... */ in front of a declaration   documents it
#   code; /* ... */                       documents what stands before, each of several members in one declaration
#   the comment in the first line         documents the header; that of camcl.h is the first page
#   /* ---- ... */                        is a heading between declarations, and stays a comment
function escaped(text) {
    gsub(/\\/, "&&", text)
    gsub(/[@<>#%&]/, "\\\\&", text)
    return text
}

# The text of a comment in this line: escaped up to the end of the comment; sets inside.
function comment(text, end) {
    end = index(text, "*/")
    inside = end == 0
    return inside ? escaped(text) : escaped(substr(text, 1, end - 1)) substr(text, end)
}

# "double a, b;" with its comment becomes "double a; /**< ... */ double b; /**< ... */", so that both have it. Only where the comment ends
# in the same line, and no bracket makes the commas mean something else.
function members(code, text, type, names, count, i, out) {
    if (code !~ /,/ || code ~ /[(){}=]/ || text !~ /\*\// || match(code, /^ *([a-z_0-9]+ )+\*?/) == 0) return code "/**< " comment(text)
    type = substr(code, 1, RLENGTH)
    count = split(substr(code, RLENGTH + 1), names, /, */)
    out = ""
    for (i = 1; i <= count; i++) {
        sub(/; *$/, "", names[i])
        out = out type names[i] "; /**< " comment(text) " "
    }
    return out
}

inside { print comment($0); next }
NR == 1 && /^\/\* / { print (FILENAME ~ /camcl\.h$/ ? "/** @mainpage libcamcl" : "/** @file"); print " * " comment(substr($0, 4)); next }
/^ *\/\* ----/ { print; next }
/^ *\/\* / { at = index($0, "/*"); print substr($0, 1, at - 1) "/** " comment(substr($0, at + 3)); next }
/[;,{}] +\/\* / || /[a-z_A-Z0-9] +\/\* / { at = index($0, "/* "); print members(substr($0, 1, at - 1), substr($0, at + 3)); next }
{ print }
