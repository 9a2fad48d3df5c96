#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Builds the stand-ins for coLinux and its neighbours: build.sh COMPILER FOLDER, in the folder of their sources.
set -eu
compiler=$1 out=$2
mkdir -p "$out"

build() {
    "$compiler" -Wall -Wextra -Werror -O2 -s "$@" -lws2_32 -lntdll
}
driver() {
    "$compiler" -Wall -Wextra -Werror -O2 -s -shared -nostdlib -Wl,--subsystem,native -Wl,--entry,DriverEntry "$@"
}

for name in wmic sc winpcap; do
    build -o "$out/$name.exe" $name.c
done
driver -DRELEASE='"WinPcap"' -o "$out/npf.sys" driver.c
for number in 601 604 709; do
    release=0.$((number / 100)).$((number % 100))
    folder=$out/$release
    mkdir -p "$folder/netdriver"
    set -- "-DNUMBER=$number" "-DRELEASE=\"$release\""
    build "$@" -o "$folder/colinux-daemon.exe" daemon.c
    for name in net bridged-net slirp-net ndis-net; do
            build "$@" -o "$folder/colinux-$name-daemon.exe" helper.c
    done
    driver "$@" -o "$folder/linux.sys" driver.c
    driver "$@" -o "$folder/netdriver/tap.sys" driver.c
    tool=tapcontrol kernel=2.6.33.7
    [ $number -ne 601 ] || { tool=devcon && kernel=2.4.26-om1; }
    build -o "$folder/netdriver/$tool.exe" devcon.c
    echo "; a stand-in of Eyrie's lab" > "$folder/netdriver/OemWin2k.inf"
    printf '\177ELF a stand-in of Eyrie'"'"'s lab, no kernel\nLinux version %s-co-%s\n' $kernel $release > "$folder/vmlinux"
done
