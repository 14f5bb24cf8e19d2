#!/bin/sh
# The reference pages: made without a warning, and everything that the headers declare is there with what its comment says.
# Usage: tests/e2e/test_reference.sh CMAKE BUILD. Exits with 77 where there is no Doxygen.
set -eu
cmake=$1 build=$2
top=$(cd "$(dirname "$0")/../.." && pwd -P)
command -v doxygen >/dev/null || {
    echo "skipped: doxygen is missing"
    exit 77
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
    echo "FAILED $*" >&2
    exit 1
}

# The pages as plain text, in lines of one function or member each.
"$cmake" --build "$build" --target docs >"$scratch/log" 2>&1 || {
    cat "$scratch/log" >&2
    fail "making the pages: warnings are errors"
}
cat "$build"/reference/html/*.html | sed 's/<[^>]*>//g; s/&#160;/ /g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g; s/&quot;/"/g' >"$scratch/text"

grep -ohE '\bcamcl_[a-z0-9_]+\(' "$top"/include/camcl/*.h | tr -d '(' | sort -u >"$scratch/functions"
[ "$(wc -l <"$scratch/functions")" -gt 80 ] || fail "the declarations were not read"
while read -r function; do
    grep -qE "\b$function *\(" "$scratch/text" || fail "$function is on no page"
done <"$scratch/functions"

# Every function has a comment of its own, in front of it or behind it.
awk '/^[a-z].*[ *]camcl_[a-z0-9_]+\(/ && !/^typedef/ && before !~ /\*\/$/ && !/\/\*/ { print FILENAME ": " $0; bad = 1 }
    { before = $0 }
    END { exit bad }' "$top"/include/camcl/*.h >"$scratch/log" || fail "declared without a comment: $(cat "$scratch/log")"

# What comments in front of a function, behind a member, behind several members of one declaration, and of a whole header say.
for words in 'Reads n pictures on all processors' 'bytes to which sub-buffers are aligned' 'of this process, and until the end of training' \
    'Inference on memory buffers: planned once' 'The library leaves its host alone' 'become \xNN' '0 is black, 1 is white'; do
    grep -qF "$words" "$scratch/text" || fail "no page says: $words"
done

# Doxygen is strict here: what it does not understand fails the build of the pages.
mkdir -p "$scratch/project/include/camcl" "$scratch/project/docs"
cp "$top"/docs/Doxyfile "$top"/docs/doxygen-filter.awk "$scratch/project/docs"
cp "$top"/include/camcl/stop.h "$scratch/project/include/camcl"
(cd "$scratch/project" && mkdir build && doxygen docs/Doxyfile) >"$scratch/log" 2>&1 || fail "one header: $(cat "$scratch/log")"
printf '/** \\nonsense */\nint camcl_nonsense(void);\n' >>"$scratch/project/include/camcl/stop.h"
if (cd "$scratch/project" && doxygen docs/Doxyfile) >"$scratch/log" 2>&1; then fail "a warning is no error"; fi
echo "passed"
