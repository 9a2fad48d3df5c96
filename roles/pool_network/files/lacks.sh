#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What this host lacks of a kernel module and packages: `package NAME`, `module NAME`; nothing where all are there.
# Usage: lacks.sh MODULE PACKAGE... (MODULE may be empty)
module=$1
shift
installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p')
for package; do
    echo "$installed" | grep -qx "$package" || echo "package $package"
done
# Without kmod nobody can tell yet: it is one of the packages.
[ -z "$module" ] || ! command -v modprobe >/dev/null || modprobe --quiet "$module" || echo "module $module"
exit 0
