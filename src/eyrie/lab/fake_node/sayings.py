# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tools of a genuine node were heard to say, word for word."""

from __future__ import annotations

SETPE_USAGE = """\
OpenMosix's setpe usage: setpe -[w|W] [-n inet] [-c] [-p pe] [-g {0|1|2}] [-f filename|-]
   or: setpe -r [-f filename|-]
   or: setpe -off
"""
NEEDS_RESTART = """\
setpe: The proposed change will modify the current node's mapping,
requiring a full OpenMosix restart, including bringing all processes back home:
If you are sure about the change, use 'setpe -W' (instead of 'setpe -w').
"""
MOSCTL_USAGE = """\
Usage: mosctl command
Available commands: stay/nostay, lstay/nolstay, block/noblock, quiet/noquiet,
                    mfs/nomfs, expel, bring, gettune, getdecay,
                    whois [mosix_no|IP-address|hostname],
                    getload [node-number], getspeed [node-number],
                    status [node-number], getmem [node-number],
                    getfree [node-number], getutil [node-number],
                    getyard, setyard [node-type], setspeed speed,
                    setdecay interval(seconds) slow(/1000) fast(/1000),
                    isup [node-number]
"""
MOSRUN_USAGE = """\
Usage: mosrun [-{h|OpenMosix_ID|-jID1-ID2[,ID3-ID4]...} [-F] ] -{l|L|k}
              [-{c|i|n|s|f | ([-d dec] [-t tt])} [-{e|E}] [-{r|R}] ]
              [-z] prog [args]...
"""
MIGRATE_USAGE = "Usage: migrate pid {OpenMosix-ID|home|balance}\n"
GETDECAY = """\
Decaying statistics of active processes occurs every 2 seconds.
Slow decay leaves 975/1000.
Fast decay leaves 926/1000.
"""
GETYARD = "Yardstick speed currently set to 15000 (matching a PIV/1500 processor).\n"
EXPEL = "All remote processes were expelled and no further remote processes accepted.\n"
BRING = "All local processes were brought back and will stay here.\n"
# flag -> said when it is set, when it was set before, when it is cleared, when it was clear before
FLAGS = {
    "block": (
        "Remote processes will not be allowed in here.",
        "Remote processes already not allowed here.",
        "Remote processes now allowed in.",
        "Remote processes already allowed in.",
    ),
    "stay": (
        "Automatic load-balancing disabled: no processes will leave This node\n"
        "(except by an explicit request)",
        "Automatic load-balancing already disabled.",
        "automatic load-balancing re-enabled.",
        "automatic load-balancing already enabled.",
    ),
    "lstay": (
        "No local processes will leave the node automatically.",
        "Local processes already may not leave automatically.",
        "Local processes may now leave the node automatically.",
        "Local processes already allowed to leave automatically.",
    ),
    "quiet": (
        "Load-balancing activity is now shut-down (for fine-timing measurements)",
        "Load-balancing activity is already shut-down.",
        "Load balancing activity now resumed.",
        "Load balancing activity already resumed.",
    ),
    "nomfs": (
        "MFS access to this node now disallowed.",
        "MFS access already disallowed.",
        "MFS access to this node now allowed.",
        "MFS access already enabled.",
    ),
}
# mosctl's word -> flag, and whether the word sets it
WORDS = {
    **{flag: (flag, True) for flag in FLAGS},
    **{f"no{flag}": (flag, False) for flag in ("block", "stay", "lstay", "quiet")},
    "mfs": ("nomfs", False),
}
