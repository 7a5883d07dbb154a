# --- A node, and the machine behind it ---
# Draining asks for evictions, which a PodDisruptionBudget may refuse for ever: it ends after DRAIN seconds, and the
# script with it. Nothing is forced. Deleting the Node object does not end the machine: MACHINE_COMMAND does, the
# operator's own, with HOST, NODE, INSTANCE and PROVIDER_ID in its environment.
# kubernetes.io/docs/reference/kubectl/generated/kubectl_drain

KUBE=kubectl

# node_replace HOST NODE INSTANCE
node_replace() {
    provider=
    if ask kubectl --context "$CONTEXT" get node "$2" -o 'jsonpath={.spec.providerID}'; then provider=$ANSWER; fi
    HINT="node $2 may still be cordoned; kubectl --context $CONTEXT uncordon $2 takes it back into service"
    run kubectl --context "$CONTEXT" cordon "$2"
    run kubectl --context "$CONTEXT" drain "$2" --ignore-daemonsets --delete-emptydir-data --timeout "${DRAIN}s"
    HINT="node $2 is drained, and its machine may still run"
    run env "HOST=$1" "NODE=$2" "INSTANCE=$3" "PROVIDER_ID=$provider" sh -c "$MACHINE_COMMAND"
    run kubectl --context "$CONTEXT" delete node "$2" --ignore-not-found
    HINT=
}
