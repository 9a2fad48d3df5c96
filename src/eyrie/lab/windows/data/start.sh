#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Switch the desktop on; Wine runs as long as the broker does, whose exit status says whether to boot again.
supply=/sys/class/power_supply
[ ! -d $supply ] || mount --bind /opt/eyrie-lab/supply $supply
wine 'Z:\opt\eyrie-lab\python\python.exe' -B -X utf8 -m desktop_programs.broker </dev/null
code=$?
wineserver -k
wineserver -w
exit $code
