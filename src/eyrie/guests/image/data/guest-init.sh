#!/bin/busybox sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The guest's process 1: network, firewall, engine, and the conversation with the agent on descriptor 3.

FW_CFG=/sys/firmware/qemu_fw_cfg/by_name/opt/org.eyrie
RUN=/run/eyrie
ENGINE_PID=$RUN/engine.pid
ENGINE_ENDED=$RUN/engine.ended
ENGINE_FAULT=$RUN/engine.fault # made when the collector stops answering the engine, removed when it answers again
PORT_FAULT=$RUN/port.fault     # the same for the pool's port

# shellcheck source=src/eyrie/guests/image/data/engine.sh
. /etc/eyrie/engine.sh

say() {
    echo "$*" >&3
    echo "eyrie: $*" >/dev/console
}

leave() {
    say state leaving
    sleep 1 # the last line is read before the port goes away
    poweroff -f
    sleep 60
}

refuse() {
    say refused "$@"
    leave
}

prepare_system() {
    mkdir -p /dev/pts /dev/shm
    mount -t devpts -o mode=620,gid=5 devpts /dev/pts
    mount -t tmpfs -o mode=1777 tmpfs /dev/shm
    mount -t tmpfs -o mode=755,size=16m tmpfs /run
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    mkdir -p $RUN /run/lock
    ln -s /proc/self/fd /dev/fd
    ln -s /proc/self/fd/0 /dev/stdin
    ln -s /proc/self/fd/1 /dev/stdout
    ln -s /proc/self/fd/2 /dev/stderr
    dmesg -n 1
}

read_config() {
    [ -r $FW_CFG/config/raw ] || refuse config "opt/org.eyrie/config is missing"
    # shellcheck disable=SC2034 # the engine's part reads POOL
    while IFS='=' read -r key value; do
        case $value in
        '' | *[!A-Za-z0-9._:/@+-]*) refuse config "$key is empty or has a character outside A-Za-z0-9._:/@+-" ;;
        esac
        case $key in
        name) NAME=$value ;;
        pool) POOL=$value ;;
        master) MASTER=$value ;;
        port) PORT=$value ;;
        lease_seconds) LEASE=$value ;;
        hub_address) HUB_ADDRESS=$value ;;
        esac
    done <$FW_CFG/config/raw
    for key in NAME POOL MASTER PORT LEASE; do
        eval "[ -n \"\$$key\" ]" || refuse config "$key is missing"
    done
    case $PORT$LEASE in *[!0-9]*) refuse config "port and lease_seconds must be numbers" ;; esac
    [ -r $FW_CFG/token/raw ] || refuse token "the desktop has none"
}

configure_network() {
    hostname "$NAME"
    printf '127.0.0.1 localhost\n10.0.2.15 %s\n' "$NAME" >/etc/hosts
    sed -e "s/@MASTER@/$MASTER/g" -e "s/@PORT@/$PORT/g" /etc/eyrie/firewall.nft | nft -f - ||
        refuse image "the firewall inside the guest does not load"
    ip link set lo up
    if ! { ip address add 10.0.2.15/24 dev eth0 && ip link set eth0 up && ip route add default via 10.0.2.2; }; then
        refuse image "no network device"
    fi
    [ -z "$HUB_ADDRESS" ] || join_hub
}

# The pool's Ethernet: guests there are to reach one another, and the hub has proven them all.
join_hub() {
    if ! { ip address add "$HUB_ADDRESS" dev eth1 && ip link set eth1 up; }; then
        refuse image "no second network device, or no address for it: $HUB_ADDRESS"
    fi
    nft 'insert rule inet eyrie input iifname "eth1" accept; insert rule inet eyrie output oifname "eth1" accept' ||
        refuse image "the firewall inside the guest does not take the pool's Ethernet"
}

# Read the engine's log as it is written; turn it into what the agent and `watch` need to know.
report() {
    while read -r line; do
        engine_event "$line" # sets EVENT and DETAIL
        case $EVENT in
        joined)
            rm -f $ENGINE_FAULT
            [ -e $RUN/joined ] || { : >$RUN/joined && say state joined; }
            ;;
        refused) [ -e $RUN/vacating ] || { say refused token "$DETAIL" && kill -KILL "$(cat $ENGINE_PID)"; } ;;
        reached) rm -f $ENGINE_FAULT ;;
        unreached) [ -e $ENGINE_FAULT ] || : >$ENGINE_FAULT ;;
        jobs) say jobs "$DETAIL" ;;
        esac
        LAST=$line
    done
    [ -e $RUN/vacating ] || echo "eyrie: the engine ended: $LAST" >/dev/console
    : >$ENGINE_ENDED
}

# Is the collector out of reach for longer than the lease? Then this desktop's work is lost anyway.
lease_is_over() {
    if timeout 5 nc -w 3 "$MASTER" "$PORT" </dev/null >/dev/null 2>&1; then
        rm -f $PORT_FAULT
    elif [ ! -e $PORT_FAULT ]; then
        : >$PORT_FAULT
    fi
    for fault in $PORT_FAULT $ENGINE_FAULT; do
        [ -e "$fault" ] && [ $(($(date +%s) - $(stat -c %Y "$fault"))) -ge "$LEASE" ] && return 0
    done
    return 1
}

# $1: seconds. Ask first, so that jobs may save themselves; then end them while there is still time to tell the
# schedd and to take the slot out of the collector.
vacate() {
    : >$RUN/vacating
    say state vacating
    pid=$(cat $ENGINE_PID)
    left=$1 tick=0
    engine_end_unborn && [ "$left" -gt 1 ] && sleep 1 && left=$((left - 1))
    signal=QUIT
    [ "$left" -gt 6 ] && signal=TERM
    kill -$signal "$pid"
    until [ -e $ENGINE_ENDED ] || [ "$left" -le 0 ]; do
        sleep 0.2
        tick=$(((tick + 1) % 5))
        [ $tick -eq 0 ] || continue
        left=$((left - 1))
        [ "$left" -eq 5 ] && kill -QUIT "$pid"
    done
    [ -e $ENGINE_ENDED ] && say state vacated
    leave
}

watch() {
    ticks=0
    while [ ! -e $ENGINE_ENDED ]; do
        order='' argument=''
        # shellcheck disable=SC3045 # busybox has it
        read -r -t 1 order argument <&3
        case $order in
        vacate) case $argument in '' | *[!0-9]*) ;; *) vacate "$argument" ;; esac ;;
        poweroff) leave ;;
        '') ticks=$((ticks + 1)) ;;
        esac
        if [ $((ticks * 6)) -ge "$LEASE" ]; then
            ticks=0
            hwclock -s -u # the owner's pauses stop the guest's clock
            lease_is_over && refuse manager "$MASTER:$PORT out of reach for $LEASE s"
        fi
    done
    leave
}

prepare_system
read_config
configure_network
engine_configure
say state engine-starting
{ engine_run 2>&1; } | report &
until [ -s $ENGINE_PID ]; do sleep 0.1; done
watch
