#!/bin/sh
# Whether the packages that `./run package` made install and work in a bare Debian 12: the program trains, classifies and has its manual; a
# program is built against the library by pkg-config and by CMake, shared and static.
# Usage, as root: tests/packages/bare_debian.sh DIR, DIR being a bare Debian in a folder, as `debootstrap --variant=minbase bookworm DIR` makes
# it, with package sources that work. What is installed there stays.
set -eu
[ $# = 1 ] && [ -f "$1/etc/debian_version" ] || {
    sed -n '2,6s/^# //p' "$0" >&2
    exit 2
}
root=$1
cd "$(dirname "$0")/../.."
ls build-packages/packages/*.deb >/dev/null 2>&1 || {
    echo "no packages (./run package makes them)" >&2
    exit 1
}
rm -rf "$root/tmp/camcl"
mkdir -p "$root/tmp/camcl"
cp build-packages/packages/*.deb "$root/tmp/camcl/"

# PoCL aborts where it finds no /sys, as in a plain chroot, and is not told of the machine; camcl does that by itself, other programs do not.
machine="pack:1 numa:1(memory=4096MB) core:2 pu:1"
[ ! -d "$root/sys/devices/system" ] || machine=

inside() {
    printf '\n== %s\n' "$1"
    shift
    chroot "$root" /usr/bin/env -i ${machine:+HWLOC_SYNTHETIC="$machine"} HOME=/root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive sh -euc "$@"
}

inside "the program and its library" '
    cd /tmp/camcl
    apt-get update -q >apt.log
    apt-get install -y -q ./camcl_*.deb ./libcamcl0_*.deb >>apt.log 2>&1 || { tail -n 20 apt.log; exit 1; }
    dpkg -l "*camcl*" | tail -n +6
    camcl version | head -n 1
    camcl devices'
inside "training, a picture, pages and configurations" '
    cd /tmp/camcl
    camcl init quickstart
    camcl train quickstart.ini train.epochs=1 train.epoch_steps=4 data.unlabeled=500 output.dir=run -q
    camcl report run
    camcl predict run/best.safetensors run/cams/00000_image.png
    ls /usr/share/camcl/configs /usr/share/man/man5/camcl.ini.5.gz /usr/share/doc/camcl/copyright
    for file in /usr/share/bash-completion/completions/camcl /usr/share/zsh/vendor-completions/_camcl \
        /usr/share/fish/vendor_completions.d/camcl.fish; do test -s "$file"; done
    zcat /usr/share/man/man1/camcl-train.1.gz | sed -n 2p'
inside "the development files" '
    cd /tmp/camcl
    apt-get install -y -q --no-install-recommends ./libcamcl-dev_*.deb gcc libc6-dev pkg-config cmake make >>apt.log 2>&1 || { tail -n 20 apt.log; exit 1; }
    rm -rf examples
    cp -r /usr/share/doc/camcl/docs/examples examples
    gcc -std=c11 -Wall -Werror -o classify examples/classify_and_explain.c $(pkg-config --cflags --libs camcl)
    ./classify run/best.safetensors run/cams/00000_image.png overlay.png
    cmake -S examples -B examples/build >cmake.log && cmake --build examples/build >>cmake.log
    examples/build/classify_and_explain run/best.safetensors run/cams/00000_image.png overlay.png
    apt-get install -y -q --no-install-recommends $(dpkg-query -W -f "\${Suggests}" libcamcl-dev | tr -d ,) >>apt.log 2>&1 ||
        { tail -n 20 apt.log; exit 1; }
    gcc -std=c11 -Wall -Werror -o classify-static examples/classify_and_explain.c $(pkg-config --cflags --libs camcl-static)
    ./classify-static run/best.safetensors run/cams/00000_image.png overlay.png'
inside "removal leaves nothing" '
    apt-get purge -y -q camcl libcamcl0 libcamcl-dev >>/tmp/camcl/apt.log 2>&1
    ! find /usr -path "*camcl*" | grep .'
rm -rf "$root/tmp/camcl"
echo
echo "passed"
