# --- Cluster API ---
# The annotation makes the MachineHealthCheck that watches a Machine call it unhealthy, and the owner replaces it: the
# number of replicas stays. Without such a check it does nothing, and above its limit of unhealthy Machines the check
# acts on none. The annotation delete-machine is not used: it only says which one goes first when a set is made smaller.
# cluster-api.sigs.k8s.io/tasks/automated-machine-management/healthchecking

KUBE=kubectl
MACHINES=machines.cluster.x-k8s.io

# machine_same HOST NAMESPACE MACHINE DIGEST PORT TYPE FINGERPRINT: stops unless the Machine is the one that was scanned
# and would be replaced.
machine_same() {
    machine_owner "$1" "$2" "$3"
    case $OWNER in
        '' | MachineSet.cluster.x-k8s.io/* | KubeadmControlPlane.controlplane.cluster.x-k8s.io/*) ;;
        *) stop "$1: $OWNER owns Machine $3; only a MachineSet or a KubeadmControlPlane makes it anew" ;;
    esac
    if [ "$4" != - ]; then
        if ask kubectl --context "$CONTEXT" -n "$2" get "$MACHINES/$3" -o 'jsonpath={.status.nodeInfo.machineID}'; then
            same_machine_id "$1" "$4" "$ANSWER"
        fi
    elif ask kubectl --context "$CONTEXT" -n "$2" get "$MACHINES/$3" -o 'jsonpath={.status.addresses[*].address}'; then
        same_key "$1" "$5" "$6" "$7" "$ANSWER"
    else
        same_key "$1" "$5" "$6" "$7" "the addresses of Machine $3"
    fi
    if ask kubectl --context "$CONTEXT" -n "$2" get machinehealthchecks.cluster.x-k8s.io \
        -o 'jsonpath={range .items[*]}{.metadata.name}|{.status.remediationsAllowed}| {.status.targets[*]} {"\n"}{end}'; then
        watcher=$(printf '%s\n' "$ANSWER" | awk -F '|' -v machine=" $3 " 'index($3, machine) { print $1, $2 + 0; exit }')
        case $watcher in
            '') stop "$1: no MachineHealthCheck watches Machine $3, so the annotation would do nothing" ;;
            *' 0') stop "$1: MachineHealthCheck ${watcher% *} allows no remediation now: too many of its Machines are unhealthy" ;;
            *) say "$1: MachineHealthCheck ${watcher% *} watches Machine $3 and allows ${watcher#* } more" ;;
        esac
    fi
}

# machine_remediate HOST NAMESPACE MACHINE
machine_remediate() {
    machine_owner "$1" "$2" "$3"
    run kubectl --context "$CONTEXT" -n "$2" annotate "$MACHINES/$3" cluster.x-k8s.io/remediate-machine= --overwrite
    machine_gone "$2" "$3"
    owner_whole "$2" "${OWNER:-its owner}"
}
