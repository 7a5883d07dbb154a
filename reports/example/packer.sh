#!/bin/sh
# For a provisioner "shell" of Packer; files/ comes by a provisioner "file" to $FILES.
set -eu
: "${FILES:=/tmp}"

# What most of api have, and api@2026.11.2 lacks.
# Fold it into the source of the image, or stop what does it; never run this on a server.

# sysctl net.core.somaxconn added: 4096 (5 of 6 hosts)
# by hand, in /etc/sysctl.d/90-tuning.conf

# openssl 3.0.17-1~deb12u2 -> 3.0.18-1~deb12u1, 1 file, as the vendor shipped it (5 of 6 hosts)
apt-get install -y --no-install-recommends --allow-downgrades 'openssl=3.0.18-1~deb12u1'
