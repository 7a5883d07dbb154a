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
