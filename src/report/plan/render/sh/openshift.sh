# --- OpenShift Machine API ---
# A Machine that is deleted is made anew by its MachineSet. The annotation delete-machine is not enough: it only says
# which one goes first when a set is made smaller. Machines of the control plane are refused: they are replaced by
# their own procedure.
# docs.redhat.com, OpenShift Container Platform, Machine management, Deleting a machine

KUBE=oc
MACHINES=machines.machine.openshift.io
NAMESPACE=openshift-machine-api

# machine_same HOST MACHINE DIGEST PORT TYPE FINGERPRINT: stops unless the Machine is the one that was scanned and would be
# made anew.
machine_same() {
    machine_owner "$1" "$NAMESPACE" "$2"
    case $OWNER in
        '' | MachineSet.machine.openshift.io/*) ;;
        *) stop "$1: $OWNER owns Machine $2; only a MachineSet makes it anew" ;;
    esac
    if ask oc --context "$CONTEXT" -n "$NAMESPACE" get "$MACHINES/$2" \
        -o 'jsonpath={.metadata.labels.machine\.openshift\.io/cluster-api-machine-role}/{.status.phase}/{.status.nodeRef.name}'; then
        case $ANSWER in
            master/* | control-plane/*) stop "$1: Machine $2 is of the control plane; it has a procedure of its own" ;;
            */Running/?*) ;;
            *) stop "$1: Machine $2 is not running with a node (role, phase, node: $ANSWER)" ;;
        esac
        node_same "$1" "${ANSWER##*/}" "$3" "$4" "$5" "$6"
    else
        node_same "$1" "NODE-OF-$2" "$3" "$4" "$5" "$6"
    fi
}

# machine_delete HOST MACHINE
machine_delete() {
    machine_owner "$1" "$NAMESPACE" "$2"
    run oc --context "$CONTEXT" -n "$NAMESPACE" delete "$MACHINES/$2" --wait=false
    machine_gone "$NAMESPACE" "$2"
    owner_whole "$NAMESPACE" "${OWNER:-its MachineSet}"
}
