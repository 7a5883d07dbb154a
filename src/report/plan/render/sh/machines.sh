# --- Machines, their owners and their nodes ---

# machine_owner HOST NAMESPACE MACHINE: puts the controller that makes a Machine anew into OWNER, as kubectl names it.
machine_owner() {
    OWNER=
    if ask "$KUBE" --context "$CONTEXT" -n "$2" get "$MACHINES/$3" \
        -o 'jsonpath={range .metadata.ownerReferences[?(@.controller==true)]}{.kind}|{.apiVersion}|{.name}{end}'; then
        [ -n "$ANSWER" ] || stop "$1: nothing owns Machine $3, so nothing would make it anew"
        api=${ANSWER#*|}
        OWNER=${ANSWER%%|*}.${api%%/*}/${ANSWER##*|}
    fi
}

# machine_gone NAMESPACE MACHINE: waits DRAIN seconds at most until a Machine is deleted, with its node drained and its
# machine ended.
machine_gone() {
    HINT="Machine $1/$2 is being deleted: a PodDisruptionBudget may refuse its drain"
    run "$KUBE" --context "$CONTEXT" -n "$1" wait --for=delete "$MACHINES/$2" --timeout "${DRAIN}s"
    HINT=
}

# owner_whole NAMESPACE OWNER: waits until an owner has as many ready Machines as it wants.
owner_whole() {
    within "$2 has all its Machines ready" owner_is_whole "$@"
}

owner_is_whole() {
    ask "$KUBE" --context "$CONTEXT" -n "$1" get "$2" \
        -o 'jsonpath={.spec.replicas}/{.status.readyReplicas}' || return 1
    case $ANSWER in [0-9]*/[0-9]*) ;; *) return 1 ;; esac
    [ "${ANSWER%/*}" = "${ANSWER#*/}" ]
}
