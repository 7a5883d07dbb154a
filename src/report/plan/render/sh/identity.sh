# --- Is it still the machine that was scanned? ---

ANSWER=

# Runs a command that only reads and puts what it says into ANSWER. A dry run prints it and returns 1.
ask() {
    typed "$@"
    if [ "$DRY_RUN" = 1 ]; then
        say "would ask:$TYPED"
        return 1
    fi
    ANSWER=$("$@") || stop "this question failed with status $?:$TYPED"
}

# same_key HOST PORT TYPE FINGERPRINT ADDRESSES: stops unless the machine at the first of the addresses that answers has
# the host key that the scan verified.
same_key() {
    if [ "$HOST_KEYS" = 0 ]; then
        say "$1: its host key is not compared, by HOST_KEYS=0"
        return 0
    fi
    if [ "$DRY_RUN" = 1 ]; then
        say "would compare: the $3 host key at $5 port $2 with $4"
        return 0
    fi
    for address in $5; do
        case $address in None | -*) continue ;; esac
        shown=$(ssh-keyscan -T 10 -p "$2" -t "$3" -- "$address" 2>/dev/null | ssh-keygen -lf - 2>/dev/null |
            awk '{ print $2 }') || shown=
        [ -n "$shown" ] || continue
        if printf '%s\n' "$shown" | grep -Fqx -e "$4"; then
            say "$1: the host key at $address is the one that was scanned"
            return 0
        fi
        stop "$1: another machine is at $address: its host key is $shown, the plan's is $4; scan, then plan anew"
    done
    stop "$1: no $3 host key could be read at port $2 of: $5 (HOST_KEYS=0 goes on without)"
}

# same_machine_id HOST DIGEST ID: stops unless a machine id is the one that the scan saw, of which the plan has a digest.
same_machine_id() {
    case $3 in
        '' | *[!0-9a-fA-F-]*) stop "$1: the platform tells no machine id" ;;
    esac
    digest=$(printf 'driftscan.evidence.1\000machine-id\000%s' "$3" | sha256) || digest=
    [ "$digest" = "$2" ] || stop "$1: another machine stands behind its handle: the machine id is not the plan's; scan, then plan anew"
    say "$1: the machine id is the one that was scanned"
}

sha256() {
    if command -v sha256sum >/dev/null; then
        sha256sum | awk '{ print $1 }'
    else
        openssl dgst -sha256 -r | awk '{ print $1 }'
    fi
}
