#!/bin/sh
# camcl as others build against it: installed, moved, then found by CMake and by pkg-config, shared and static; what the shared library
# shows; and docs/examples/, compiled without warnings and run.
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
cat "$prefix"/include/camcl/*.h | grep -oE '\bcamcl_[a-z0-9_]+\(' | tr -d '(' | sort -u >"$scratch/declared"
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
    doc/camcl/configs/reference.md doc/camcl/examples/classify_and_explain.c doc/camcl/LICENSE; do
    [ -s "$prefix/share/$file" ] || [ -s "$prefix/share/$file.gz" ] || fail "share/$file is not installed"
done
find "$prefix/share/zsh" -name _camcl -size +1k | grep -q . || fail "the completion for zsh is not installed"

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
train=build/train_with_early_stopping
done=$("$scratch/shared/$train" "$scratch/small.ini" "$scratch/run" 1000)
case $done in "done: test top-1 "*" %") ;; *) fail "a run to its end: $done" ;; esac
# A run that learns nothing, and would go on for hours.
sed '/^epoch_steps/s/=.*/= 100000/; s/^cams_every.*//' "$scratch/small.ini" >"$scratch/long.ini"
printf '[optim]\nlr = 1e-12\n' >>"$scratch/long.ini"
stopped=$("$scratch/static/$train" "$scratch/long.ini" "$scratch/stopped" 20)
case $stopped in "stopped: lowest loss "*" at step "*) ;; *) fail "a run without progress: $stopped" ;; esac
[ -f "$scratch/stopped/state.safetensors" ] || fail "the stopped run has not saved its state"

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
