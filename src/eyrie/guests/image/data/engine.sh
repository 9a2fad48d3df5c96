# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=dash disable=SC2034 # EVENT and DETAIL are what init reads
# HTCondor's part of the guest. Sourced by init, which gives NAME POOL MASTER PORT, FW_CFG and ENGINE_PID.

engine_configure() {
    mkdir -p /run/lock/condor /run/condor /var/log/condor /var/spool/condor /var/lib/condor/execute
    mount -t tmpfs -o mode=755,size=90% tmpfs /var/lib/condor/execute
    mkdir -m 0700 /run/condor/tokens.d
    (umask 077 && cat "$FW_CFG/token/raw" >/run/condor/tokens.d/pool)
    chown -R condor:condor /run/lock/condor /run/condor /var/log/condor /var/spool/condor /var/lib/condor
    chown -R root:root /run/condor/tokens.d
    {
        cat /etc/eyrie/condor.conf
        echo "CONDOR_HOST = $MASTER:$PORT"
        echo "TRUST_DOMAIN = $POOL"
        echo "UID_DOMAIN = $POOL"
        echo "NETWORK_HOSTNAME = $NAME"
        echo "EyrieDesktop = \"$NAME\""
    } >/etc/condor/condor_config
    BUSY=0
}

# The startd alone: a condor_master would only watch over one daemon, and init does that.
engine_run() {
    sh -c "echo \$\$ >$ENGINE_PID; exec condor_startd -f -t" 3>&-
}

# A starter whose job does not run yet ends without a word, and its shadow waits for the job's lease, unless the startd
# is still there to tell it better: so such a starter goes first. True if there was one.
engine_end_unborn() {
    ended=1
    for starter in $(pidof condor_starter); do
        works=''
        read -r children <"/proc/$starter/task/$starter/children"
        for child in $children; do # its own helpers, and a copy of itself that moves files, are no job
            case $(cat "/proc/$child/comm") in condor_*) ;; *) works=1 ;; esac
        done
        [ -n "$works" ] || { kill -QUIT "$starter" && ended=0; }
    done 2>/dev/null
    return $ended
}

# $1: a line of the startd's log. "Initial update sent" is no proof of anything; that the collector let the command
# UPDATE_STARTD_AD pass, after authentication, is.
engine_event() {
    EVENT='' DETAIL=''
    case $1 in
    *"SECMAN: command "*" UPDATE_STARTD_AD to collector"*) UPDATING=1 ;;
    *"SECMAN: command "*" to collector"*) UPDATING='' ;;
    *"SECMAN: startCommand succeeded"*) [ -n "$UPDATING" ] && EVENT=joined UPDATING='' ;;
    *"CCBListener: registered with CCB server"*) EVENT=reached ;;
    *'SECMAN: FAILED: Received "DENIED" from server'*)
        EVENT=refused DETAIL="the collector knows it, but does not let it offer a slot"
        ;;
    *"ERROR: AUTHENTICATE:1004:"* | *"|AUTHENTICATE:1004:"*) EVENT=refused DETAIL=$(token_fault) ;;
    *"Failed to start non-blocking update"* | *"CCBListener: connection to CCB server"*) EVENT=unreached ;;
    *"Changing activity: Idle -> Busy"*) BUSY=$((BUSY + 1)) EVENT=jobs DETAIL=$BUSY ;;
    *"Changing activity: Busy -> "*) BUSY=$((BUSY - 1)) EVENT=jobs DETAIL=$BUSY ;;
    esac
}

# Why the collector may have refused it, as far as the token itself can tell.
token_fault() {
    claims=$(cut -d. -f2 /run/condor/tokens.d/pool | tr '_-' '/+')
    expiry=$(printf '%s===' "$claims" | base64 -d 2>/dev/null | sed -n 's/.*"exp":\([0-9]*\).*/\1/p')
    if [ -n "$expiry" ] && [ "$expiry" -le "$(date +%s)" ]; then
        echo "expired at $(date -u -d "@$expiry" +%Y-%m-%dT%H:%M:%SZ)"
    else
        echo "not accepted by the collector: another pool's, revoked, or not a token"
    fi
}
