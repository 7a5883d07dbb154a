#!/bin/sh
# A plan of driftscan, for blue-green: 9 hosts to replace.
#
#   plan      sha256:e2e8f610a54106d1f28abe4aadb74c594e5ff22cc453241a6018bdc476fcd3f2
#   run       20261129T195442Z-194d
#   report    sha256:1d7a33b18d7124bb43bfd2526353548700e37d4df4a2b763aa778fa6e9629554
#   baseline  web@2026.11.2 sha256:fbef3c485894ad4fb635bff79353802adf3672f10aab7628b5d2753f9adb0404
#   baseline  api@2026.11.2 sha256:6acce3c049d3f51ecc3ddcef8c1a2fe31ddd26fa5db0ff42663ce5a8b711db2e
#   baseline  node@2026.11.2 sha256:74ae247d35d31dbcda978d3df1a66e6e135cb1e5f3c59a0b99df43660b98da8e
#   baseline  etcd@2026.11.2 sha256:2f916f24bec4d1ae17ef96f60975fdf87862d439a39b4e7238b4a2ba0a232bd9
#   baseline  db@2026.11.2 sha256:b3a03e4d2d4433c978c92380b20d1db5299588145922ed0fa15c7e7245a03267
#   created   2026-11-29T19:54:44Z
#   expires   2026-11-30T19:54:44Z
#   by        driftscan 0.1.0
#   not here  wave 6, group node: openshift replaces it
#   not here  wave 7, group node: openshift replaces it
#   deferred  web-06: drain-first
#   deferred  web-09: pinned
#   deferred  api-01: common-drift
#   deferred  api-03: common-drift
#   deferred  api-04: common-drift
#   deferred  api-05: common-drift
#   deferred  db-01: pinned
#
# Nothing runs unless it is asked for: DRY_RUN=1 is the default, and prints each command. DRY_RUN=0 runs it.
#
#   ./plan.sh             what there is to run
#   ./plan.sh verify 1    is each handle of wave 1 still the machine that was scanned? Only reads
#   ./plan.sh wave 1      one wave and its gate
#   ./plan.sh gate 1      the gate alone, after a wave whose gate stopped
#   ./plan.sh from 2      the waves from 2 on; ./plan.sh all is every wave
#   ./plan.sh rollback 1  takes a wave back, where the platform can
#
# It stops at the first failure. A wave that stopped half way is not repaired by running it again: scan, then plan anew.
# These are read from the environment:
#
#   PLAN, FLEET      the plan's JSON document, and the hosts file for the new machines (needed to run)
#   REFRESH          a command that brings FLEET up to date, run before each proof
#   DRIFTSCAN        the program, where it is not `driftscan`
#   HOST_KEYS=0      do not compare host keys (the platform's own answer alone tells the machine)
#   IGNORE_WINDOWS=1 run outside of the windows
#   POLL_SECONDS, BAKE_SECONDS  how often to look again, and how long a wave stands, where not as planned

# Functions are called by names that are put together (SC2317, SC2329); what the plan holds is never expanded (SC2016).
# shellcheck disable=SC2016,SC2317,SC2329
set -euf
LC_ALL=C
export LC_ALL
umask 077

PLAN_ID=sha256:e2e8f610a54106d1f28abe4aadb74c594e5ff22cc453241a6018bdc476fcd3f2
CREATED=2026-11-29T19:54:44Z
CREATED_DAY=20261129
EXPIRES=2026-11-30T19:54:44Z
EXPIRES_DAY=20261130
EXPIRES_TIME=1195444
NEEDS=''
WAVES='1 2 3 4 5 6 7 8 9'
BACK='1 5 8'

: "${DRY_RUN:=1}" "${HOST_KEYS:=1}" "${IGNORE_WINDOWS:=0}" "${POLL_SECONDS:=30}" "${DRIFTSCAN:=driftscan}"
: "${PLAN:=}" "${FLEET:=}" "${REFRESH:=}"
ALL=0 WAVE='' HINT='' TYPED=''

# --- What every script of a plan shares ---

say() { printf '%s\n' "$*"; }

# Ends the script. HINT says what is left behind, where something is.
stop() {
    printf 'stopped: %s\n' "$*" >&2
    [ -z "$HINT" ] || printf '%s\n' "$HINT" >&2
    exit 1
}

# Puts words into TYPED as they would be typed.
typed() {
    TYPED=
    for word in "$@"; do
        case $word in
            '' | *[!A-Za-z0-9_@%+=:,./-]*)
                word=$(printf '%s\n' "$word" | sed "s/'/'\\\\''/g; 1s/^/'/; \$s/\$/'/")
                ;;
        esac
        TYPED="$TYPED $word"
    done
}

# Runs a command that changes something; a dry run prints it.
run() {
    typed "$@"
    if [ "$DRY_RUN" = 1 ]; then
        say "would run:$TYPED"
        return 0
    fi
    say "running:$TYPED"
    "$@" || stop "this command failed with status $?:$TYPED"
}

# within WHAT COMMAND...: waits until a command succeeds, READY seconds at most.
within() {
    what=$1
    shift
    if [ "$DRY_RUN" = 1 ]; then
        say "would wait $READY seconds at most: $what"
        return 0
    fi
    waited=0
    until "$@"; do
        [ "$waited" -lt "$READY" ] || stop "not within $READY seconds: $what"
        say "waiting: $what"
        sleep "$POLL_SECONDS"
        waited=$((waited + POLL_SECONDS))
    done
}

# A plan is of its day: the hosts that it names change.
not_expired() {
    now=$(date -u '+%Y%m%d 1%H%M%S') || now=
    case $now in
        [0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]\ 1[0-9][0-9][0-9][0-9][0-9][0-9]) ;;
        *) stop "the clock can not be read" ;;
    esac
    [ "${now% *}" -ge "$CREATED_DAY" ] || stop "the clock is behind the plan, which was made at $CREATED"
    if [ "${now% *}" -gt "$EXPIRES_DAY" ]; then stop "the plan expired at $EXPIRES; scan, then plan anew"; fi
    if [ "${now% *}" -eq "$EXPIRES_DAY" ] && [ "${now#* }" -ge "$EXPIRES_TIME" ]; then
        stop "the plan expired at $EXPIRES; scan, then plan anew"
    fi
}

# in_window ZONE MINUTES MINUTE HOUR DAY MONTH WEEKDAY EITHER: whether a window that began in the last MINUTES is open.
# The five fields are lists of numbers; EITHER is 1 where day and weekday are both narrowed, and one of them is enough
# (crontab(5)). Each minute that the window may have begun in is looked at.
in_window() {
    case $1 in
        UTC | '<'*) ;;
        # A name that the machine does not know would silently be read as UTC.
        *) [ -f "${TZDIR:-/usr/share/zoneinfo}/$1" ] || stop "this machine does not know the time zone $1" ;;
    esac
    now=$(TZ=$1 date '+%Y %m %d %H %M') || stop "the clock can not be read"
    awk -v now="$now" -v minutes="$2" -v minute="$3" -v hour="$4" -v day="$5" -v month="$6" -v weekday="$7" \
        -v either="$8" '
        function has(list, n) { return index(" " list " ", " " n " ") > 0 }
        function day_number(y, m, d) {
            if (m <= 2) { y--; m += 12 }
            return 365 * y + int(y / 4) - int(y / 100) + int(y / 400) + int((153 * (m - 3) + 2) / 5) + d - 1
        }
        function calendar(z,    era, doe, yoe, doy, mp) {
            era = int(z / 146097); doe = z - era * 146097
            yoe = int((doe - int(doe / 1460) + int(doe / 36524) - int(doe / 146096)) / 365)
            doy = doe - (365 * yoe + int(yoe / 4) - int(yoe / 100))
            mp = int((5 * doy + 2) / 153)
            on_day = doy - int((153 * mp + 2) / 5) + 1
            on_month = mp < 10 ? mp + 3 : mp - 9
            on_weekday = (z + 3) % 7
        }
        BEGIN {
            if (split(now, at, " ") != 5) exit 1
            from = (day_number(at[1] + 0, at[2] + 0, at[3] + 0) * 24 + at[4]) * 60 + at[5]
            for (back = 0; back < minutes; back++) {
                then = from - back
                calendar(int(then / 1440))
                of_day = has(day, on_day); of_week = has(weekday, on_weekday)
                if (has(minute, then % 60) && has(hour, int(then % 1440 / 60)) && has(month, on_month) &&
                    (either == 1 ? of_day || of_week : of_day && of_week)) { open = 1; break }
            }
            exit !open
        }'
}

# A wave begins: the plan is valid, and a window of the group is open.
begin() {
    WAVE=$1
    say
    say "== wave $WAVE, group $GROUP"
    not_expired
    if "$WINDOWS"; then return 0; fi
    if [ "$IGNORE_WINDOWS" = 1 ]; then
        say "no window of $GROUP is open now; going on, by IGNORE_WINDOWS=1"
    elif [ "$DRY_RUN" = 1 ]; then
        say "a real run would stop here: no window of $GROUP is open now"
    else
        stop "no window of $GROUP is open now"
    fi
}

any_time() { return 0; }

# One look at the new machines of a wave: driftscan finds them clean, and they are healthy. 2 and 3 (drift, unverifiable)
# may pass as machines start; any other status says that it could not judge.
proven() {
    if [ -n "$REFRESH" ]; then sh -c "$REFRESH" || stop "this command failed: $REFRESH"; fi
    judged=0
    "$DRIFTSCAN" plan status "$PLAN" --fleet "$FLEET" --wave "$1" || judged=$?
    case $judged in
        0) ;;
        2 | 3) return 1 ;;
        *) stop "driftscan could not judge wave $1 (status $judged)" ;;
    esac
    shift
    healthy "$@"
}

# The operator's own command, for each host by its name in the plan. Where the platform gives new names, the command has to
# find the new machines of GROUP itself.
healthy() {
    [ -n "$HEALTH" ] || return 0
    for host in "$@"; do
        HOST=$host GROUP=$GROUP sh -c "$HEALTH" || return 1
    done
}

# stands WHAT COMMAND...: waits for a proof, lets the new machines stand for a time, and asks for the proof again.
stands() {
    within "$@"
    if [ "$DRY_RUN" = 1 ]; then
        say "would let it stand for ${BAKE_SECONDS:-$BAKE} seconds, then prove it again"
        return 0
    fi
    say "proven: $1; it stands for ${BAKE_SECONDS:-$BAKE} seconds"
    sleep "${BAKE_SECONDS:-$BAKE}"
    what=$1
    shift
    "$@" || stop "it did not stand: $what"
    say "it stood: $what"
}

# gate WAVE HOST...: what must hold before the next wave.
gate() {
    HINT=
    if [ "$DRY_RUN" = 1 ]; then
        typed "$DRIFTSCAN" plan status "${PLAN:-PLAN}" --fleet "${FLEET:-FLEET}" --wave "$1"
        say "would prove:$TYPED"
        if [ -n "$HEALTH" ]; then
            typed sh -c "$HEALTH"
            say "would prove, with HOST set to each of the wave:$TYPED"
        fi
    fi
    stands "wave $1 is replaced, clean and healthy" proven "$@"
}

# A wave that another platform replaces.
elsewhere() {
    [ "$ALL" = 1 ] || stop "wave $1 is of group $2, which $3 replaces: it is not in this script"
    say
    say "== wave $1, group $2: not in this script, $3 replaces it"
}

# Refuses words that would be understood as something else, and what a real run could not end.
start() {
    for flag in "$DRY_RUN" "$IGNORE_WINDOWS" "$HOST_KEYS"; do
        case $flag in 0 | 1) ;; *) stop "DRY_RUN, IGNORE_WINDOWS and HOST_KEYS are 0 or 1" ;; esac
    done
    for number in "$POLL_SECONDS" "${BAKE_SECONDS:-0}"; do
        case $number in '' | *[!0-9]*) stop "POLL_SECONDS and BAKE_SECONDS are numbers" ;; esac
    done
    [ "$POLL_SECONDS" -gt 0 ] || stop "POLL_SECONDS is at least 1"
    if [ "$DRY_RUN" = 1 ]; then
        say "dry run: nothing is asked and nothing is changed; DRY_RUN=0 runs it"
        return 0
    fi
    for program in $NEEDS "$DRIFTSCAN" awk sed grep date; do
        command -v "$program" >/dev/null || stop "$program is not here"
    done
    if [ "$HOST_KEYS" = 1 ]; then
        for program in ssh-keyscan ssh-keygen; do
            command -v "$program" >/dev/null || stop "$program is not here"
        done
    fi
    case $asked in verify | rollback) return 0 ;; esac
    if [ ! -f "$PLAN" ] || [ ! -f "$FLEET" ]; then
        stop "set PLAN to the plan's JSON document and FLEET to the hosts file"
    fi
    grep -Fq -e "$PLAN_ID" "$PLAN" || stop "$PLAN is not the plan that this script was made of"
}

main() {
    asked=${1:-list}
    case $asked:$# in
        list:0 | list:1)
            list
            return 0
            ;;
        all:1 | wave:2 | from:2 | gate:2 | verify:2 | rollback:2) ;;
        *) stop "it takes one of: list, verify N, wave N, gate N, from N, all, rollback N" ;;
    esac
    [ "$asked" != verify ] || DRY_RUN=0
    start
    case $asked in
        all) through ;;
        from) through "$2" ;;
        rollback)
            case " $BACK " in
                *" $2 "*) "rollback_$2" ;;
                *) stop "wave $2 has no way back: its machines are gone. Build from the version before, and replace again" ;;
            esac
            ;;
        *)
            case " $WAVES " in *" $2 "*) "${asked}_$2" ;; *) stop "there is no wave $2" ;; esac
            ;;
    esac
}

# through [WAVE]: all waves, or those from one on. The first that fails ends it.
through() {
    ALL=1
    on=$((1 - $#))
    for number in $WAVES; do
        [ "$number" != "${1:-}" ] || on=1
        [ "$on" = 0 ] || "wave_$number"
    done
    [ "$on" = 1 ] || stop "there is no wave $1"
    say
    if [ -z "$WAVES" ]; then say "nothing is planned"; else say "all waves are through"; fi
}

# --- Blue and green ---
# Green is built beside blue, proven, and switched to. No command here ends a machine: blue stays as it is, for the way
# back. The three commands are the operator's own, with GROUP and TARGET in their environment.

# green_is_clean: driftscan's status is 0 only where every host of green was read whole and equals its template: 2 is
# drift, 3 is a host that could not be verified. Fewer hosts than LEAST are no green.
green_is_clean() {
    judged=0
    "$DRIFTSCAN" scan --fleet "$GREEN_FLEET" --min-hosts "$LEAST" || judged=$?
    case $judged in
        0) return 0 ;;
        2 | 3) return 1 ;;
        *) stop "driftscan could not judge green (status $judged)" ;;
    esac
}

green_build() {
    run env "GROUP=$GROUP" "TARGET=$TARGET" sh -c "$BUILD"
    green_told
    within "green of $GROUP is clean, all of it" green_is_clean
}

green_told() {
    [ "$DRY_RUN" = 1 ] || return 0
    typed "$DRIFTSCAN" scan --fleet "$GREEN_FLEET" --min-hosts "$LEAST"
    say "would prove:$TYPED"
}

green_switch() {
    HINT="blue of $GROUP still runs; \`rollback $WAVE\` of this script switches back to it"
    run env "GROUP=$GROUP" "TARGET=$TARGET" sh -c "$SWITCH"
}

# Green serves: it stays clean, and the operator's health command succeeds with HOST set to the group's name.
green_stands() {
    green_told
    stands "green of $GROUP serves, clean and healthy" green_serves
    HINT=
    say "blue of $GROUP still runs: ending it is a decision of its own"
}

green_serves() {
    green_is_clean || return 1
    healthy "$GROUP"
}

green_already() {
    say "its hosts are of blue, which wave $1 switches away from"
}

green_rollback() {
    run env "GROUP=$GROUP" "TARGET=$TARGET" sh -c "$ROLLBACK"
}

# --- The plan ---

group_1() {
    GROUP=web
    WINDOWS=windows_1
    READY=900
    BAKE=1800
    HEALTH='curl -fsS "http://$HOST/healthz"'
    GREEN_FLEET=green-web.txt
    LEAST=18
    BUILD='./build-green web'
    SWITCH='./to-green web'
    ROLLBACK='./to-blue web'
    TARGET=''
}

windows_1() {
    # 0 2 * * 1-5 for 3h in UTC
    if in_window UTC 180 0 2 '1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31' '1 2 3 4 5 6 7 8 9 10 11 12' '1 2 3 4 5' 0; then return 0; fi
    return 1
}

group_2() {
    GROUP=api
    WINDOWS=any_time
    READY=900
    BAKE=1800
    HEALTH=''
    GREEN_FLEET=green-api.txt
    LEAST=5
    BUILD='./build-green api'
    SWITCH='./to-green api'
    ROLLBACK='./to-blue api'
    TARGET=''
}

group_4() {
    GROUP=etcd
    WINDOWS=any_time
    READY=900
    BAKE=7200
    HEALTH=''
    GREEN_FLEET=green-etcd.txt
    LEAST=2
    BUILD='./build-green etcd'
    SWITCH='./to-green etcd'
    ROLLBACK='./to-blue etcd'
    TARGET=''
}

# Wave 1, group web, zone eu-west-1a, the canary: web-05
#   web-05 is outdated
verify_1() {
    group_1
}
gate_1() {
    group_1
    green_stands
}
wave_1() {
    group_1
    begin 1
    green_build
    green_switch
    gate_1
}
rollback_1() {
    group_1
    green_rollback
}

# Wave 2, group web, zone eu-west-1a: web-10 web-07
#   web-10 is drifted (high): file-added
#   web-07 is drifted (medium): content-changed package-version
verify_2() {
    group_1
}
gate_2() {
    group_1
    green_already 1
}
wave_2() {
    group_1
    begin 2
    gate_2
}

# Wave 3, group web, zone eu-west-1a: web-08
#   web-08 is drifted (medium): content-changed
verify_3() {
    group_1
}
gate_3() {
    group_1
    green_already 1
}
wave_3() {
    group_1
    begin 3
    gate_3
}

# Wave 4, group web, zone eu-west-1b: web-14 web-13
#   web-14 is drifted (medium): content-changed
#   web-13 is outdated
verify_4() {
    group_1
}
gate_4() {
    group_1
    green_already 1
}
wave_4() {
    group_1
    begin 4
    gate_4
}

# Wave 5, group api, zone eu-west-1a, the canary: api-02
#   api-02 is drifted (critical): account-changed content-changed kernel-setting-changed package-version sshd-changed
verify_5() {
    group_2
}
gate_5() {
    group_2
    green_stands
}
wave_5() {
    group_2
    begin 5
    green_build
    green_switch
    gate_5
}
rollback_5() {
    group_2
    green_rollback
}

verify_6() { elsewhere 6 node openshift; }

wave_6() { elsewhere 6 node openshift; }

gate_6() { elsewhere 6 node openshift; }

verify_7() { elsewhere 7 node openshift; }

wave_7() { elsewhere 7 node openshift; }

gate_7() { elsewhere 7 node openshift; }

# Wave 8, group etcd, zone eu-west-1a, the canary: etcd-01
#   etcd-01 is drifted (medium): sshd-changed
verify_8() {
    group_4
}
gate_8() {
    group_4
    green_stands
}
wave_8() {
    group_4
    begin 8
    green_build
    green_switch
    gate_8
}
rollback_8() {
    group_4
    green_rollback
}

# Wave 9, group etcd, zone eu-west-1c: etcd-03
#   etcd-03 is drifted (medium): sshd-changed
verify_9() {
    group_4
}
gate_9() {
    group_4
    green_already 8
}
wave_9() {
    group_4
    begin 9
    gate_9
}

list() {
    say 'plan sha256:e2e8f610a54106d1f28abe4aadb74c594e5ff22cc453241a6018bdc476fcd3f2, expires 2026-11-30T19:54:44Z'
    say 'wave 1, group web, zone eu-west-1a, the canary: web-05'
    say 'wave 2, group web, zone eu-west-1a: web-10 web-07'
    say 'wave 3, group web, zone eu-west-1a: web-08'
    say 'wave 4, group web, zone eu-west-1b: web-14 web-13'
    say 'wave 5, group api, zone eu-west-1a, the canary: api-02'
    say 'wave 6, group node, zone eu-west-1b, the canary: node-05 (openshift replaces it)'
    say 'wave 7, group node, zone eu-west-1a: node-03 (openshift replaces it)'
    say 'wave 8, group etcd, zone eu-west-1a, the canary: etcd-01'
    say 'wave 9, group etcd, zone eu-west-1c: etcd-03'
    say 'to run: verify N, wave N, gate N, from N, all, rollback N; DRY_RUN=0 does it, else it is printed'
}

main "$@"
