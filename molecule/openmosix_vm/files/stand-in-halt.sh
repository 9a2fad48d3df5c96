#!/bin/busybox sh
# SPDX-License-Identifier: GPL-3.0-or-later
sleep 1 # the last line is on its way
poweroff -f
