# --- Terraform and OpenTofu ---
# -replace since Terraform 0.15.2. A plan is written to a file, read, and that file is applied: what was judged is what
# is done. Nothing is narrowed by -target. Whether a new machine comes before the old one goes is the configuration's
# word (create_before_destroy).
# developer.hashicorp.com/terraform/cli/commands/plan

: "${TERRAFORM:=terraform}" "${TERRAFORM_EXPECT:=}"
TF_IN_AUTOMATION=1
export TF_IN_AUTOMATION

terraform_ready() {
    if ask "$TERRAFORM" version; then
        printf '%s\n' "$ANSWER" | awk '
            /^(Terraform|OpenTofu) v[0-9]/ {
                sub(/^v/, "", $2); split($2, at, /[.-]/); found = 1
                new = at[1] > 0 || at[2] > 15 || (at[2] == 15 && at[3] + 0 >= 2)
            }
            END { exit !(found && new) }' || stop "-replace needs Terraform 0.15.2 or later, or OpenTofu; here is: $ANSWER"
    fi
    if ask "$TERRAFORM" "-chdir=$DIR" workspace show; then
        [ "$ANSWER" = "$WORKSPACE" ] || stop "the workspace of $DIR is $ANSWER, the plan's is $WORKSPACE"
    fi
}

# terraform_same HOST ADDRESS INSTANCE: stops unless the state knows the address by the instance that the hosts file names
# (- where it names none).
terraform_same() {
    if ask "$TERRAFORM" "-chdir=$DIR" state show -no-color "$2"; then
        [ "$3" != - ] || return 0
        id=$(printf '%s\n' "$ANSWER" | sed -n 's/^    id  *= "\(.*\)"$/\1/p') || id=
        [ "$id" = "$3" ] || stop "$1: $2 is $id in the state, the plan's instance is $3; scan, then plan anew"
        say "$1: $2 is $3"
    fi
}

# terraform_replace SURGE ADDRESS...: plans, judges the plan, and applies it. SURGE is first where new machines must come
# before old ones go.
terraform_replace() {
    surge=$1
    shift
    count=$#
    WORK=
    if [ "$DRY_RUN" = 0 ]; then
        WORK=$(mktemp -d) || stop "no folder for the plan file"
        trap 'rm -rf "$WORK"' EXIT
        trap 'exit 130' INT
        trap 'exit 143' TERM
    fi
    file=${WORK:-/tmp}/wave.tfplan
    # The addresses move to the end of the list, each behind its option.
    for address in "$@"; do
        shift
        set -- "$@" "-replace=$address"
    done
    run "$TERRAFORM" "-chdir=$DIR" plan -input=false -no-color -lock-timeout=120s "$@" "-out=$file"
    if ask "$TERRAFORM" "-chdir=$DIR" show -no-color "$file"; then
        terraform_judge "$surge" "$count" "$@"
    fi
    HINT="what was applied until then is done; the state of $DIR knows it"
    run "$TERRAFORM" "-chdir=$DIR" apply -input=false -no-color "$file"
    HINT=
    [ -z "$WORK" ] || rm -rf "$WORK"
}

# terraform_judge SURGE COUNT -replace=ADDRESS...: stops unless ANSWER replaces what was asked for, and nothing but that.
terraform_judge() {
    surge=$1
    count=$2
    shift 2
    for option in "$@"; do
        address=${option#-replace=}
        printf '%s\n' "$ANSWER" | grep -Fqx -e "  # $address will be replaced, as requested" ||
            stop "the plan does not replace $address"
    done
    if [ "$surge" = first ] && printf '%s\n' "$ANSWER" | grep -q '^-/+ resource '; then
        stop "the plan destroys before it creates; new machines must come first: set create_before_destroy"
    fi
    summary=$(printf '%s\n' "$ANSWER" | sed -n 's/^Plan: \(.*\)$/\1/p') || summary=
    wanted="$count to add, 0 to change, $count to destroy."
    if [ "$summary" = "$wanted" ]; then return 0; fi
    if [ -n "$TERRAFORM_EXPECT" ] && [ "$summary" = "$TERRAFORM_EXPECT" ]; then
        say "the plan does more than replace; going on, by TERRAFORM_EXPECT: $summary"
        return 0
    fi
    printf '%s\n' "$ANSWER"
    stop "the plan does more than replace $count: '$summary' (read it; TERRAFORM_EXPECT='$summary' accepts exactly that)"
}
