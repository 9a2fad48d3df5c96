#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What a genuine node says, but for the version: it tells what this is.
version='#2 SMP fake openMosix node'
[ $# -gt 0 ] || set -- -s
said=
for word in "$@"; do
    case $word in
        -a) set -- "$(hostname)"; echo "Linux $1 2.4.26-om $version i686 unknown"; exit 0 ;;
        -*[!asnrvmp-]*) echo "uname: invalid option -- ${word#-}" >&2; exit 1 ;;
    esac
    said=$said${word#-}
done
line=
for letter in s n r v m p; do
    case $said in *$letter*) ;; *) continue ;; esac
    case $letter in
        s) line="$line Linux" ;;
        n) line="$line $(hostname)" ;;
        r) line="$line 2.4.26-om" ;;
        v) line="$line $version" ;;
        m) line="$line i686" ;;
        p) line="$line unknown" ;;
    esac
done
echo "${line# }"
