#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Make what a kernel is built from, unless it is there: a root file system with Debian's compiler, as one with gcc 3.3
# would be for a kernel of 2.4, and Debian's kernel source. Usage: sources.sh FOLDER
set -eu

folder=$1
mkdir -p "$(dirname "$folder")"
exec 9> "$folder.lock" # two at once would remove one another's tree
flock 9
if [ -s "$folder/version" ]; then
    exit 0
fi
mirror=$(python3 -c 'from eyrie.apt_mirror import debian_mirror; print(debian_mirror())')
rm -rf "$folder.new"
mkdir -p "$folder.new"
DESTINATION=$folder.new
export DESTINATION
# shellcheck disable=SC2016 # the hook's own variables
nice -n 10 mmdebstrap --mode=root --variant=minbase \
    --include=bc,bison,bzip2,cpio,flex,gcc,kmod,libc6-dev,libelf-dev,linux-source,make,patch,perl-base,xz-utils \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --aptopt='Acquire::Retries "3"' \
    --customize-hook='mv "$1"/usr/src/linux-source-*.tar.xz "$DESTINATION/source.tar.xz"' \
    --customize-hook='chroot "$1" dpkg-query -W -f "\${Version}" linux-source | sed "s/-.*//" > "$DESTINATION/version"' \
    --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*' \
    trixie "$folder.new/toolchain.tar" "$mirror"
rm -rf "$folder"
mv "$folder.new" "$folder"
