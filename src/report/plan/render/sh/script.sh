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
    for program in $NEEDS "$DRIFTSCAN" awk sed grep date tr; do
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
    # By the key, since a later plan holds the id as well: it names the plan before it.
    tr -d '[:space:]' <"$PLAN" | grep -Fq -e "\"plan_id\":\"$PLAN_ID\"" ||
        stop "$PLAN is not the plan that this script was made of"
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
