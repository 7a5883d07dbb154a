# --- Amazon EC2 Auto Scaling ---
# One instance at a time, by the call that keeps the desired capacity. An instance refresh is not used: with SkipMatching
# it passes over instances whose launch configuration is right, and those are the ones that drifted while they ran.
# The group ends the old instance first and launches after, so its capacity is lower until then.
# docs.aws.amazon.com/cli/latest/reference/autoscaling/terminate-instance-in-auto-scaling-group.html

AWS_PAGER=
export AWS_PAGER

# asg_same HOST INSTANCE PORT TYPE FINGERPRINT: stops unless the instance serves in the group and is the machine that was
# scanned. FINGERPRINT is - where the host key can not be asked for.
asg_same() {
    if ask aws autoscaling describe-auto-scaling-instances --region "$REGION" --instance-ids "$2" \
        --query 'AutoScalingInstances[].[AutoScalingGroupName,LifecycleState]' --output text; then
        case $ANSWER in
            "$ASG"'	InService') say "$1: $2 is in service in $ASG" ;;
            *'	Warmed:'*) stop "$1: $2 is in a warm pool; this call is not for those" ;;
            '' | None) stop "$1: $2 is in no auto scaling group; it is gone, or another machine" ;;
            *) stop "$1: $2 is not in service in $ASG but: $ANSWER" ;;
        esac
    fi
    if [ "$5" = - ]; then return 0; fi
    # Asked at the addresses that the platform knows for the instance, so that the key ties the handle to the machine.
    if ask aws ec2 describe-instances --region "$REGION" --instance-ids "$2" \
        --query 'Reservations[].Instances[].[PrivateIpAddress,PublicIpAddress]' --output text; then
        same_key "$1" "$3" "$4" "$5" "$ANSWER"
    else
        same_key "$1" "$3" "$4" "$5" "the addresses of $2"
    fi
}

# Stops where the group would not launch a replacement, or is not whole as it is.
asg_ready() {
    if ask aws autoscaling describe-auto-scaling-groups --region "$REGION" --auto-scaling-group-names "$ASG" \
        --query 'AutoScalingGroups[0].SuspendedProcesses[].ProcessName' --output text; then
        for process in $ANSWER; do
            case $process in
                Launch | Terminate | AddToLoadBalancer | HealthCheck)
                    stop "$process is suspended in $ASG: a replacement would not come, or not serve"
                    ;;
            esac
        done
    fi
    if [ "$DRY_RUN" = 1 ]; then
        asg_whole || :
    else
        asg_whole || stop "$ASG is not whole: $ANSWER (desired, in service)"
    fi
}

# Whether as many instances are in service as are desired.
asg_whole() {
    ask aws autoscaling describe-auto-scaling-groups --region "$REGION" --auto-scaling-group-names "$ASG" \
        --query "AutoScalingGroups[0].[DesiredCapacity,length(Instances[?LifecycleState=='InService'])]" \
        --output text || return 1
    case $ANSWER in
        *[!0-9'	']* | '') stop "there is no auto scaling group $ASG in $REGION" ;;
    esac
    [ "${ANSWER%'	'*}" = "${ANSWER#*'	'}" ]
}

asg_terminate() {
    run aws autoscaling terminate-instance-in-auto-scaling-group --region "$REGION" --instance-id "$1" \
        --no-should-decrement-desired-capacity
}

# asg_settled INSTANCE...: the call above only asks; this waits until the old ones are gone and the group is whole.
asg_settled() {
    within "$ASG is whole again without the old instances" asg_is_settled "$@"
}

asg_is_settled() {
    ask aws autoscaling describe-auto-scaling-groups --region "$REGION" --auto-scaling-group-names "$ASG" \
        --query 'AutoScalingGroups[0].Instances[].InstanceId' --output text
    for old in "$@"; do
        for instance in $ANSWER; do
            [ "$instance" != "$old" ] || return 1
        done
    done
    asg_whole
}
