#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Run inside the new tree, after the sources beside this file were written to /tmp/lab.
set -eu
export WINEPREFIX=/desktop WINEDEBUG=-all LANG=C.UTF-8 XDG_RUNTIME_DIR=/tmp HOME=/root
windows=$WINEPREFIX/drive_c/windows
cd /tmp/lab

build() {
    x86_64-w64-mingw32-gcc -Wall -Wextra -Werror -O2 -s "$@"
}
build -municode -o launcher.exe launcher.c
build -municode -o winrshost.exe winrshost.c
build -shared -o wtsapi32.dll wtsapi32.c wtsapi32.def
# Stand-ins for coLinux and what it needs: they lie ready, and a scenario puts them onto its desktop. Wine has no 32 bits here.
sh build.sh x86_64-w64-mingw32-gcc /opt/eyrie-lab/colinux
# shellcheck disable=SC2154,SC2086 # words, put before this script
x86_64-w64-mingw32-gcc $files_flags -Wl,-e,start -o /opt/eyrie-lab/colinux/eyrie-files.exe files.c -lkernel32

# Neither .NET nor a browser: Wine would offer to download them.
WINEDLLOVERRIDES='mscoree,mshtml=' wineboot --init
wine regedit /S lab.reg
wineserver -k
wineserver -w
for name in certutil curl netsh schtasks shutdown; do
    cp --remove-destination launcher.exe "$windows/system32/$name.exe"
done
cp --remove-destination launcher.exe "$windows/system32/WindowsPowerShell/v1.0/powershell.exe"
cp --remove-destination winrshost.exe wtsapi32.dll "$windows/system32/"
mkdir "$windows/eyrie-lab"
# Else Wine would update the prefix, our files included, should a time stamp ever differ.
echo disable > "$WINEPREFIX/.update-timestamp"

mkdir -p /opt/eyrie-lab/lib /opt/eyrie-lab/supply

cd /
apt-get -qq -y purge gcc-mingw-w64-x86-64-win32 >/dev/null
apt-get -qq -y autoremove --purge >/dev/null
rm -rf /tmp/lab /tmp/.wine-* /root/.cache /var/lib/apt/lists/* /var/cache/apt/*.bin /etc/apt/apt.conf.d/99mmdebstrap \
    /etc/resolv.conf /usr/share/man /usr/share/locale /usr/share/doc
: > /etc/machine-id
echo '# no name service in the lab: see /etc/hosts' > /etc/resolv.conf
