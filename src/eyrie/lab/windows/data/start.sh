#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Switch the desktop on; Wine runs as long as the broker does, which leaves word whether to boot again.
ended=/opt/eyrie-lab/ended
rm -f "$ended"
supply=/sys/class/power_supply
[ ! -d $supply ] || mount --bind /opt/eyrie-lab/supply $supply
wine 'Z:\opt\eyrie-lab\python\python.exe' -B -X utf8 -m desktop_programs.broker </dev/null
wineserver -k
wineserver -w
exit "$(cat "$ended" || echo 1)"
