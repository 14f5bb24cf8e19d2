#!/bin/sh
# camcl as others build against it: installed, moved, then found by CMake and by pkg-config, shared and static; what the shared library
# shows; docs/examples/ and the programs in docs/c-library.md, compiled without warnings and run.
# Usage: tests/e2e/test_installed.sh CMAKE BUILD CC PROGRAM PNG. PROGRAM: camcl with the shared library. PNG: whether this build writes PNG
# files, from which the examples take a picture.
set -eu
cmake=$1 build=$2 CC=$3 program=$4 png=$5
export CC
top=$(cd "$(dirname "$0")/../.." && pwd -P)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
warnings='-Wall -Wextra -Wpedantic -Werror'

fail() {
    echo "FAILED $*" >&2
    exit 1
}

# same WHAT GOT EXPECTED
same() { [ "$2" = "$3" ] || fail "$1: got \"$2\", expected \"$3\""; }

# needs PROGRAM: the libraries of camcl that it loads.
needs() { readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(libcamcl[^]]*\)\].*/\1/p'; }

# ---- what is installed

# An installed tree may be moved.
"$cmake" --install "$build" --prefix "$scratch/first" >/dev/null
mv "$scratch/first" "$scratch/camcl"
prefix=$scratch/camcl
header=$prefix/include/camcl/version.h
part() { sed -n "s/^#define CAMCL_VERSION_$1 //p" "$header"; }
major=$(part MAJOR)
version=$major.$(part MINOR).$(part PATCH)
library=$(find "$prefix" -name "libcamcl.so.$major")
[ -n "$library" ] || fail "no libcamcl.so.$major is installed"
libraries=$(dirname "$library")
export LD_LIBRARY_PATH="$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"

# ---- what the shared library shows: what the headers declare, and nothing else

nm -D --defined-only "$library" | sed 's/.* //' | sort >"$scratch/shown"
cat "$prefix"/include/camcl/*.h | grep -v '^static inline' | grep -oE '\bcamcl_[a-z0-9_]+\(' | tr -d '(' | sort -u >"$scratch/declared"
grep -qx camcl_train "$scratch/declared" || fail "the declarations were not read"
diff "$scratch/declared" "$scratch/shown" || fail "declared (<) and shown (>) differ"
same "soname" "$(readelf -d "$library" | sed -n 's/.*(SONAME).*\[\(.*\)\].*/\1/p')" "libcamcl.so.$major"

# ---- the program makes do with it

same "the program's library" "$(needs "$program")" "libcamcl.so.$major"
same "the program's version" "$("$program" --version | sed -n '1s/ (.*//p')" "camcl $version"
same "the installed program's version" "$("$prefix/bin/camcl" --version | sed -n '1s/ (.*//p')" "camcl $version"

# ---- what comes with it

for file in man/man1/camcl.1 man/man1/camcl-train.1 man/man5/camcl.ini.5 bash-completion/completions/camcl \
    fish/vendor_completions.d/camcl.fish camcl/configs/quickstart.ini doc/camcl/README.md doc/camcl/docs/adding.md \
    doc/camcl/configs/reference.md doc/camcl/docs/examples/classify_and_explain.c doc/camcl/LICENSE; do
    [ -s "$prefix/share/$file" ] || [ -s "$prefix/share/$file.gz" ] || fail "share/$file is not installed"
done
find "$prefix/share/zsh" -name _camcl -size +1k | grep -q . || fail "the completion for zsh is not installed"

# Links from page to page hold; examples of code may look like links.
find "$prefix/share/doc" -name '*.md' | while read -r page; do
    sed '/^ *```/,/^ *```/d' "$page" | grep -oE '\]\([^) ]+\)' | sed 's/^](//; s/)$//; s/#.*//' | grep -vE '^([a-z]+:.*)?$' |
        while read -r link; do
            [ -e "$(dirname "$page")/$link" ] || echo "$page: $link"
        done || true
done >"$scratch/dead"
[ ! -s "$scratch/dead" ] || fail "links that lead nowhere: $(cat "$scratch/dead")"

# ---- pkg-config

cat >"$scratch/version.c" <<'TEXT'
#include <camcl/camcl.h>
#include <stdio.h>
int main(void)
{
    printf("%d.%d.%d %s %s\n", CAMCL_VERSION_MAJOR, CAMCL_VERSION_MINOR, CAMCL_VERSION_PATCH, camcl_version(), camcl_status_name(CAMCL_OK));
    return 0;
}
TEXT
cp "$scratch/version.c" "$scratch/version.cpp"

# linked PACKAGE LIBRARY: the program above as the package says, which loads LIBRARY of camcl's. C++ where there is a compiler for it.
linked() {
    flags=$(PKG_CONFIG_PATH=$libraries/pkgconfig pkg-config --cflags --libs "$1") || fail "pkg-config $1"
    same "$1's version" "$(PKG_CONFIG_PATH=$libraries/pkgconfig pkg-config --modversion "$1")" "$version"
    # shellcheck disable=SC2086
    "$CC" -std=c11 $warnings -o "$scratch/version" "$scratch/version.c" $flags || fail "linking by pkg-config $1"
    same "$1" "$("$scratch/version")" "$version $version CAMCL_OK"
    same "libraries of $1" "$(needs "$scratch/version")" "$2"
    command -v c++ >/dev/null || return 0
    # shellcheck disable=SC2086
    c++ -std=c++17 $warnings -o "$scratch/version" "$scratch/version.cpp" $flags || fail "linking C++ by pkg-config $1"
    same "$1 from C++" "$("$scratch/version")" "$version $version CAMCL_OK"
}
if command -v pkg-config >/dev/null; then
    linked camcl "libcamcl.so.$major"
    linked camcl-static ""
else
    echo "pkg-config is missing: camcl.pc was not checked"
    [ "${CI:-}" != true ] || exit 1
fi

# ---- CMake, with the examples

# examples FOLDER: a copy of docs/examples/, built in its folder build.
examples() {
    if ! { "$cmake" -S "$1" -B "$1/build" "-DCMAKE_PREFIX_PATH=$prefix" "-DCMAKE_C_FLAGS=$warnings" &&
        "$cmake" --build "$1/build"; } >"$scratch/log" 2>&1; then
        cat "$scratch/log" >&2
        fail "building $(basename "$1")"
    fi
}
cp -R "$top/docs/examples" "$scratch/shared"
cp -R "$top/docs/examples" "$scratch/static"
sed -i 's/find_package(camcl.*REQUIRED/& COMPONENTS static/; s/camcl::camcl)/camcl::camcl_static)/' "$scratch/static/CMakeLists.txt"
for kind in shared static; do
    examples "$scratch/$kind"
done
same "the examples' library" "$(needs "$scratch/shared/build/classify_and_explain")" "libcamcl.so.$major"
same "the examples' library, static" "$(needs "$scratch/static/build/classify_and_explain")" ""

# Who lacks a library that libcamcl.a takes can still use the shared one, and is told why not the other.
lacking='-DCMAKE_DISABLE_FIND_PACKAGE_Threads=ON'
"$cmake" -S "$scratch/shared" -B "$scratch/lacking" "-DCMAKE_PREFIX_PATH=$prefix" $lacking >"$scratch/log" 2>&1 || {
    cat "$scratch/log" >&2
    fail "the shared library needs more than itself"
}
if "$cmake" -S "$scratch/static" -B "$scratch/lacking-static" "-DCMAKE_PREFIX_PATH=$prefix" $lacking >"$scratch/log" 2>&1; then
    fail "the static library is found without what it needs"
fi
grep -q 'needs what is not found here: Threads' "$scratch/log" || fail "it is not said what is missing: $(cat "$scratch/log")"

# ---- the examples by pkg-config, and the programs in the page on the library

# Each block of C in the page is a program; its first line is a comment with its name.
mkdir "$scratch/page"
awk -v folder="$scratch/page" '
    /^```c$/ { inside = 1; getline; name = $2; file = folder "/" name ".c" }
    /^```$/ { inside = 0 }
    inside { print >file }' "$top/docs/c-library.md"
same "programs in docs/c-library.md" "$(cd "$scratch/page" && echo *)" "classify_buffers.c devices.c whole_run.c"

# by_package PACKAGE FILE PROGRAM
by_package() {
    flags=$(PKG_CONFIG_PATH=$libraries/pkgconfig pkg-config --cflags --libs "$1")
    # shellcheck disable=SC2086
    "$CC" -std=c11 $warnings -o "$3" "$2" $flags || fail "$2 by pkg-config $1"
}
page=
if command -v pkg-config >/dev/null; then
    page=$scratch/page
    for file in "$top"/docs/examples/*.c "$page"/*.c; do
        by_package camcl "$file" "$scratch/$(basename "$file" .c)-pc"
        by_package camcl-static "$file" "$scratch/$(basename "$file" .c)-pc-static"
    done
fi

# ---- the examples' doings

cat >"$scratch/small.ini" <<'TEXT'
[data]
dataset = shapes
labeled = 20
unlabeled = 40
validation = 10
[model]
width = 2
[ssl]
mode = supervised
[train]
epochs = 1
epoch_steps = 2
batch_labeled = 4
[output]
cams_every = 1
TEXT
"$program" train "$scratch/small.ini" "output.dir=$scratch/run" --quiet || fail "no run"

train=build/train_with_early_stopping
said=$("$scratch/shared/$train" "$scratch/small.ini" "$scratch/early" 5)
case $said in "epoch 1: validation loss "*", top-1 "*" %") ;; *) fail "a training to its end: $said" ;; esac
"$program" eval "$scratch/early" data.dataset=shapes >/dev/null || fail "the early stopper's checkpoint"
# A training that learns nothing, and would go on for days.
sed '/^epochs/s/=.*/= 1000000/; /^epoch_steps/s/=.*/= 1/' "$scratch/small.ini" >"$scratch/long.ini"
printf '[optim]\nlr = 1e-12\n' >>"$scratch/long.ini"
"$scratch/static/$train" "$scratch/long.ini" "$scratch/stopped" 3 >"$scratch/log" || fail "stopping early"
lines=$(wc -l <"$scratch/log")
if [ "$lines" -lt 4 ] || [ "$lines" -gt 2000 ]; then fail "stopped after $lines epochs"; fi
[ -s "$scratch/stopped" ] || fail "the early stopper leaves no checkpoint"
# An interrupt.
"$scratch/shared/$train" "$scratch/long.ini" "$scratch/interrupted" 1000000000 >"$scratch/epochs" &
pid=$!
tries=0
until [ -s "$scratch/epochs" ] || [ "$tries" -ge 1200 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
kill -INT "$pid"
wait "$pid" || fail "an interrupted training"
[ -s "$scratch/interrupted" ] || fail "an interrupted training leaves no checkpoint"

said=$("$scratch/shared/build/train_from_memory" "$scratch/memory" | tail -n 1)
case $said in "test top-1 "*" %, weights in $scratch/memory") ;; *) fail "training from memory: $said" ;; esac
top1=${said#test top-1 }
[ "${top1%%.*}" -ge 90 ] || fail "training from memory learns nothing: $said"
if [ -n "$page" ]; then
    same "version, by the page" "$("$scratch/devices-pc" | head -n 1)" "camcl $version"
    said=$("$scratch/whole_run-pc" "$scratch/whole" | tail -n 1)
    case $said in "test top-1 "*" %") ;; *) fail "a whole run, by the page: $said" ;; esac
    [ -s "$scratch/whole/report.html" ] || fail "a whole run, by the page, leaves no report"
    for kind in pc pc-static; do
        said=$("$scratch/classify_buffers-$kind" "$scratch/whole/best.safetensors" | grep -c ' %$')
        same "classified buffers, $kind" "$said" 3
    done
fi

if [ "$png" = yes ]; then
    picture=$scratch/run/cams/00000_image.png
    said=$("$program" predict "$scratch/run/best.safetensors" "$picture" | awk '{ print $2, $3, $4 }')
    for kind in shared static; do
        class=$("$scratch/$kind/build/classify_and_explain" "$scratch/run/best.safetensors" "$picture" "$scratch/$kind.png")
        same "the class, $kind" "$class" "$said"
        [ -s "$scratch/$kind.png" ] || fail "$kind: no overlay"
        if "$scratch/$kind/build/classify_and_explain" "$scratch/no.safetensors" "$picture" "$scratch/none.png" 2>"$scratch/log"; then
            fail "$kind: a checkpoint that is missing is no error"
        fi
        grep -q no.safetensors "$scratch/log" || fail "$kind: the error does not name the file"
    done
fi
echo "passed"
