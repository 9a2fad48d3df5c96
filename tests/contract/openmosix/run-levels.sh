#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Give a node the run levels of a distribution of 2004, and do what its init does with them. Neither genuine nodes (of a
# mini-distribution) nor fake ones have any. Usage: run-levels.sh make | enter LEVEL | remove
# Neighbours that start and stop before and after openMosix write down which number the node has then.

log=/tmp/run-levels
neighbour=/etc/init.d/neighbour

case $1 in
make)
    for level in 0 1 2 3 4 5 6; do
        mkdir -p /etc/rc$level.d || exit 1
    done
    mkdir -p /etc/init.d
    # shellcheck disable=SC2016 # the neighbour's own variables
    printf '%s\n' '#!/bin/sh' 'echo ${0##*/} $1 `cat /proc/hpc/admin/mospe` >> '$log > $neighbour
    chmod 755 $neighbour
    for link in rc3.d/S10network rc3.d/S99local rc6.d/K01local rc6.d/K90network; do
        ln -sf $neighbour /etc/$link || exit 1
    done
    ;;
enter)
    # As /etc/rc does: kill links, then start links, each in the order of their names.
    : > $log
    for link in /etc/rc"$2".d/K*; do
        if [ -x "$link" ]; then "$link" stop > /dev/null; fi
    done
    for link in /etc/rc"$2".d/S*; do
        if [ -x "$link" ]; then "$link" start > /dev/null; fi
    done
    cat $log
    ;;
remove) rm -rf /etc/rc[0-6].d $neighbour $log ;;
esac
