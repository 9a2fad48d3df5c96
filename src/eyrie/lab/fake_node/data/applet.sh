#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A program of today's BusyBox on a fake openMosix node: refuses the options that BusyBox v1.00-pre10 does not know.
name=${0##*/}
flags='' valued=''
# shellcheck source=/dev/null
. /libexec/options
refuse() {
    echo "$name: invalid option -- $1" >&2
    exit 1
}
case $name in
    sleep)
        case $1 in
            '' | *[!0-9]*) echo 'Usage: sleep N' >&2; exit 1 ;;
        esac
        ;;
    find)
        for word in "$@"; do
            case $word in
                -name | -type | -print | -perm | -mtime) ;;
                -?*) refuse "$word" ;;
            esac
        done
        exec /libexec/new/find "$@"
        ;;
esac
value=
for word in "$@"; do
    if [ -n "$value" ]; then
        value=
        continue
    fi
    case $word in
        --) break ;;
        --*) refuse "$word" ;;
        -[0-9]*) continue ;;
        -?*) ;;
        *) continue ;;
    esac
    rest=${word#-}
    while [ -n "$rest" ]; do
        letter=${rest%"${rest#?}"}
        rest=${rest#?}
        case $valued in
            *"$letter"*)
                [ -n "$rest" ] || value=wanted
                break
                ;;
        esac
        case $flags in
            *"$letter"*) ;;
            *) refuse "$letter" ;;
        esac
    done
done
exec "/libexec/new/$name" "$@"
