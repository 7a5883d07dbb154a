# What the benches share: a folder of their own, one real sshd on loopback, the binaries, and medians. Sourced by bash.
# shellcheck shell=bash

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
target=${CARGO_TARGET_DIR:-$PWD/target}
driftscan=$target/release/driftscan
bare_walk=$target/release/examples/bare_walk
rusage=$PWD/tests/bench/rusage

# BUILT=1 takes what was built before. A bench that needs other programs names them in $examples before it sources this.
# shellcheck disable=SC2046
[ -n "${BUILT:-}" ] || cargo build --release --quiet --bin driftscan $(printf -- '--example %s ' ${examples:-bare_walk})

lab=$(mktemp -d /tmp/driftscan-bench-XXXXXX)
sshd_pid=
trap 'if [ -n "$sshd_pid" ]; then kill "$sshd_pid"; fi; rm -rf "$lab"' EXIT
cd "$lab"
mkdir home
: >ssh_config

# Starts sshd; sets $port.
serve() {
    ssh-keygen -q -t ed25519 -N '' -f login
    ssh-keygen -q -t ed25519 -N '' -f host
    cp login.pub authorized_keys
    chmod 755 "$lab"
    [ "$(id -u)" != 0 ] || mkdir -p /run/sshd
    local try
    for try in 1 2 3 4 5 6 7 8 9 10; do
        port=$((20000 + (RANDOM * 7 + try) % 20000))
        cat >config <<CONFIG
ListenAddress 127.0.0.1:$port
HostKey $lab/host
PidFile none
AuthorizedKeysFile $lab/authorized_keys
StrictModes no
UsePAM no
PermitRootLogin yes
MaxStartups 500
LogLevel ERROR
SetEnv HOME=$lab/home
CONFIG
        "$(command -v sshd)" -D -e -f config 2>log &
        sshd_pid=$!
        sleep 0.3
        if kill -0 $sshd_pid 2>/dev/null; then
            printf '[127.0.0.1]:%s %s\n' "$port" "$(cut -d' ' -f1,2 host.pub)" >known_hosts
            return
        fi
    done
    cat log >&2
    exit 1
}

# hosts N ROOT: a fleet of N hosts that all are ROOT, each by a name of its own: the same place twice is one host.
hosts() {
    echo '[bed] template=bed'
    local i
    for i in $(seq "$1"); do
        ln -sfn "$2" "$lab/root-$i"
        echo "$(id -un)@127.0.0.1:$port name=bed-$i root=$lab/root-$i"
    done
}

# Runs driftscan in the bench's own world.
ds() {
    env -i HOME="$lab/home" PATH="$PATH" "$driftscan" "$@"
}

# A scan of the fleet; the last report is in report.json.
scan() {
    ds scan -f hosts.txt -i login --known-hosts known_hosts -F ssh_config --format json=report.json
}

now() { date +%s%N; }

# median N COMMAND...: runs it once to warm up and N times more, prints the median of the wall milliseconds.
median() {
    local n=$1 i start
    shift
    "$@" >/dev/null
    for i in $(seq "$n"); do
        start=$(now)
        "$@" >/dev/null
        echo $((($(now) - start) / 10000))
    done | sort -n | awk '{ a[NR] = $1 } END { printf "%.1f", a[int((NR + 1) / 2)] / 100 }'
}

ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
