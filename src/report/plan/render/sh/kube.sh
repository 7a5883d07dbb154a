# --- Kubernetes: what nodes tell ---

# node_same HOST NODE DIGEST PORT TYPE FINGERPRINT: stops unless the node is the machine that was scanned: by its machine
# id, else by its host key. DIGEST and FINGERPRINT are - where the plan has none.
node_same() {
    if [ "$3" != - ]; then
        if ask "$KUBE" --context "$CONTEXT" get node "$2" -o 'jsonpath={.status.nodeInfo.machineID}'; then
            same_machine_id "$1" "$3" "$ANSWER"
        fi
    elif ask "$KUBE" --context "$CONTEXT" get node "$2" \
        -o 'jsonpath={.status.addresses[?(@.type=="InternalIP")].address}'; then
        same_key "$1" "$4" "$5" "$6" "$ANSWER"
    else
        same_key "$1" "$4" "$5" "$6" "the addresses of node $2"
    fi
}
