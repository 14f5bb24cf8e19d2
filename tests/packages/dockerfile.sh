#!/bin/sh
# The steps of the Dockerfile in bare Debians in folders, for where there is no container engine; then the container's program, which trains.
# Usage, as root: tests/packages/dockerfile.sh BARE WORK. BARE: a bare Debian 12 in a folder, as `debootstrap --variant=minbase bookworm BARE`
# makes it, with package sources that work; it stays as it is. WORK: a folder for the stages, which is made, and removed at the end.
set -eu
[ $# = 2 ] && [ -f "$1/etc/debian_version" ] && [ ! -e "$2" ] || {
    sed -n '2,5s/^# //p' "$0" >&2
    exit 2
}
mkdir -p "$2"
bare=$(cd "$1" && pwd -P) work=$(cd "$2" && pwd -P)
cd "$(dirname "$0")/../.."
stage='' root='' folder=/ environment='' entry=''
trap 'for root in "$work"/*/; do umount -l "$root/proc" 2>/dev/null || true; done; rm -rf "$work"' EXIT

fail() {
    echo "Dockerfile: $*" >&2
    exit 1
}

inside() {
    # shellcheck disable=SC2086
    chroot "$root" /usr/bin/env -i HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        DEBIAN_FRONTEND=noninteractive $environment sh -euc "mkdir -p '$folder' && cd '$folder' && $1"
}

# from IMAGE [as NAME]
from() {
    case $1 in debian:12*) ;; *) fail "FROM $1: not a Debian 12" ;; esac
    stage=${3:-last} folder=/ environment=''
    root=$work/$stage
    mkdir "$root"
    tar -C "$bare" --one-file-system --exclude='./proc/*' --exclude='./dev/*' --exclude='./tmp/*' -cf - . | tar -C "$root" -xf -
    mknod -m 666 "$root/dev/null" c 1 3 2>/dev/null || true
    mknod -m 666 "$root/dev/urandom" c 1 9 2>/dev/null || true
    mount -t proc proc "$root/proc"
}

# copy [--from=STAGE] SOURCE TARGET. The checkout is what git would give: a build folder must not come along.
copy() {
    source=$work/build
    case $1 in
    --from=*)
        source=$work/${1#--from=}
        shift
        mkdir -p "$root$2"
        # shellcheck disable=SC2086
        cp -R $source$1 "$root$2"
        ;;
    .)
        mkdir -p "$root$2"
        git ls-files -z | tar --null -T - -cf - | tar -C "$root$2" -xf -
        ;;
    *) fail "COPY $*: not understood" ;;
    esac
}

step() {
    echo "== $1 $2"
    # shellcheck disable=SC2086
    case $1 in
    FROM) from $2 ;;
    COPY) copy $2 ;;
    WORKDIR) folder=$2 && inside true ;;
    RUN) inside "$2" >"$work/log" 2>&1 || { tail -n 20 "$work/log"; fail "this step failed"; } ;;
    ENV) environment="$environment $2" ;;
    ENTRYPOINT) entry=$(echo "$2" | tr -d '[]",') ;;
    CMD) inside "$entry $(echo "$2" | tr -d '[]",')" | head -n 3 ;;
    *) fail "$1: not understood" ;;
    esac
}

# Comments out, lines that go on joined.
awk '/^#/ { next } /\\$/ { sub(/\\$/, ""); printf "%s", $0; next } NF' Dockerfile >"$work/steps"
while read -r instruction arguments; do
    step "$instruction" "$arguments" </dev/null
done <"$work/steps"

echo "== the container's program"
inside "$entry version | head -n 1; $entry init quickstart; $entry train quickstart.ini train.epochs=1 train.epoch_steps=4 output.dir=run -q; \
    $entry eval run/best.safetensors"
find "$root/cache" -maxdepth 2 | sed "s|$root||" | head -n 3
echo "passed"
