//! What is masked, what is not, and that masking is stable.

use super::text;
use proptest::prelude::*;

fn masked(line: &str) -> String {
    String::from_utf8_lossy(&text(line.as_bytes())).into_owned()
}

/// The word that must be gone; it is the same in every line.
const WORD: &str = "Hunter2-s3cr3t";

#[test]
fn values_of_keys_that_name_a_secret() {
    for line in [
        "password = Hunter2-s3cr3t",
        "password=Hunter2-s3cr3t",
        "  passwd: Hunter2-s3cr3t",
        "DB_PASS=Hunter2-s3cr3t",
        "export DB_PASSWORD='Hunter2-s3cr3t'",
        "# password = Hunter2-s3cr3t",
        "#password Hunter2-s3cr3t",
        "spring.datasource.password=Hunter2-s3cr3t with spaces",
        "\"password\": \"Hunter2-s3cr3t\",",
        "{\"user\": \"a\", \"password\": \"Hunter2-s3cr3t\"}",
        "'password' => 'Hunter2-s3cr3t',",
        "$dbpassword = \"Hunter2-s3cr3t\";",
        "<password>Hunter2-s3cr3t</password>",
        "<user name=\"a\" password=\"Hunter2-s3cr3t\" roles=\"b\"/>",
        "host=a user=b password=Hunter2-s3cr3t dbname=c",
        "Server=a;Password=Hunter2-s3cr3t;Database=b",
        "api_key: Hunter2-s3cr3t",
        "client_secret = Hunter2-s3cr3t",
        "secrets:\n  one: Hunter2-s3cr3t\n",
        "password: |\n  Hunter2-s3cr3t\n",
        "token: >-\n    Hunter2-s3cr3t\nnext: 1\n",
        "password = \\\nHunter2-s3cr3t\nnext",
        "Authorization: Bearer Hunter2-s3cr3t",
        "curl -H \"Authorization: Basic Hunter2-s3cr3t\" http://a",
        "curl -H 'X-Auth-Token: Hunter2-s3cr3t' http://a",
        "curl -u admin:Hunter2-s3cr3t http://a",
        "cmd --password=Hunter2-s3cr3t --x",
        "cmd --password Hunter2-s3cr3t --x",
        "cmd --db-pass 'Hunter2-s3cr3t' --x",
        "mysql -u root -pHunter2-s3cr3t db",
        "sshpass -p Hunter2-s3cr3t ssh a",
        "requirepass Hunter2-s3cr3t",
        "rocommunity Hunter2-s3cr3t 10.0.0.0/8",
        "machine a login b password Hunter2-s3cr3t",
        "CREATE USER a IDENTIFIED BY 'Hunter2-s3cr3t';",
        ": PSK \"Hunter2-s3cr3t\"",
        "wpa_psk=Hunter2-s3cr3t",
        "postgres://user:Hunter2-s3cr3t@host:5432/db",
        "url = https://user:p/Hunter2-s3cr3t@host/",
        "Environment=DB_PASSWORD=Hunter2-s3cr3t",
        "Environment=\"A=b\" \"SECRET=Hunter2-s3cr3t\"",
        "Service/Environment\tTOKEN=Hunter2-s3cr3t",
        "db/password\tHunter2-s3cr3t",
        "rootpw --plaintext Hunter2-s3cr3t",
        "//a/b /mnt cifs username=a,password=Hunter2-s3cr3t 0 0",
        "root:$6$saltsalt$Hunter2-s3cr3t:1:2",
        "userPassword: {SSHA}Hunter2-s3cr3t",
        "fastcgi_param DB_PASSWORD Hunter2-s3cr3t;",
        "fastcgi_param DB_PASSWORD Hunter2-s3cr3t if_not_empty;",
        "proxy_set_header X-Api-Key Hunter2-s3cr3t;",
        "proxy_set_header X-Auth Hunter2-s3cr3t;",
        "stats auth admin:Hunter2-s3cr3t",
        "auth_jwt_key Hunter2-s3cr3t;",
        "auth_jwt_key Hunter2-s3cr3t",
        "env MY_TOKEN\tHunter2-s3cr3t",
        "KEY=Hunter2-s3cr3t",
        "AUTH=u:Hunter2-s3cr3t",
        "API_AUTH='u:Hunter2-s3cr3t'",
        "key: Hunter2-s3cr3t",
        "get http://a/b?key=Hunter2-s3cr3t&token=Hunter2-s3cr3t",
        "OPTS=\"-u a -P Hunter2-s3cr3t\"",
        "  -H \"X-Auth: Hunter2-s3cr3t\" \\",
        "  -u admin:Hunter2-s3cr3t \\",
        "  --user admin:Hunter2-s3cr3t \\",
    ] {
        let masked = masked(line);
        assert!(!masked.contains(WORD) && masked.contains("[masked]"), "{line} -> {masked}");
    }
}

/// Commands, in each of the places where commands stand.
#[test]
fn values_that_commands_take() {
    for command in [
        "echo root:Hunter2-s3cr3t | chpasswd",
        "echo 'root:Hunter2-s3cr3t and more' | /usr/sbin/chpasswd -e",
        "printf 'root:Hunter2-s3cr3t' | sudo chpasswd",
        "chpasswd <<< root:Hunter2-s3cr3t",
        "echo Hunter2-s3cr3t | sudo -S reboot",
        "echo 'a Hunter2-s3cr3t' |sudo -kS reboot",
        "echo Hunter2-s3cr3t | passwd --stdin root",
        "echo Hunter2-s3cr3t | docker login --password-stdin a",
        "ldapsearch -x -w Hunter2-s3cr3t -b dc=a",
        "ldapsearch -x -wHunter2-s3cr3t -b dc=a",
        "curl -uadmin:Hunter2-s3cr3t http://a",
        "curl -u admin:Hunter2-s3cr3t http://a",
        "curl -u 'admin:a Hunter2-s3cr3t' http://a",
        "curl -H \"X-Auth: Hunter2-s3cr3t\" http://a",
        "curl -H 'PRIVATE: a Hunter2-s3cr3t' http://a",
        "curl -H'X-Any: Hunter2-s3cr3t' http://a",
        "curl --header=X-Any:Hunter2-s3cr3t http://a",
        "curl --header 'X-Any: Hunter2-s3cr3t' http://a",
        "redis-cli -h a -a Hunter2-s3cr3t ping",
        "mongodump -u a -p Hunter2-s3cr3t",
        "mongodump -p '/Hunter2-s3cr3t/x y'",
        "mysql -pHunter2-s3cr3t",
        "mariadb-dump -pHunter2-s3cr3t db",
        "lftp -u u,Hunter2-s3cr3t a",
        "smbclient //a/b -U u%Hunter2-s3cr3t",
        "sqlplus u/Hunter2-s3cr3t@db",
        "sqlplus -s u/Hunter2-s3cr3t @a.sql",
        "ipmitool -H a -U b -P Hunter2-s3cr3t power off",
        "mosquitto_pub -u a -P Hunter2-s3cr3t -t b",
        "htpasswd -b f u Hunter2-s3cr3t",
        "htpasswd -nb u Hunter2-s3cr3t",
        "snmpget -v2c -c Hunter2-s3cr3t a",
        "curl http://a/?key=Hunter2-s3cr3t&b=c",
        "unknown -p Hunter2-s3cr3t",
        "unknown --x -w 'Hunter2-s3cr3t' -y",
        "unknown -a Hunter2-s3cr3t",
        "mkdir -p /a/b && unknown -a Hunter2-s3cr3t",
    ] {
        for line in [
            command.to_owned(),
            format!("*/5 * * * * root {command}"),
            format!("job root {command}\t*/5 * * * *"),
            format!("ExecStart=/usr/bin/{command}"),
            format!("Service/ExecStart\t/usr/bin/{command}"),
            format!("rule app\tALL = NOPASSWD: /usr/bin/{command}"),
        ] {
            let masked = masked(&line);
            assert!(!masked.contains(WORD) && masked.contains("[masked]"), "{line} -> {masked}");
            assert_eq!(masked.matches('\t').count(), line.matches('\t').count(), "{line} -> {masked}");
            assert_eq!(masked, self::masked(&masked), "{line}");
        }
    }
}

#[test]
fn plain_commands_stay_as_they_are() {
    for line in [
        "worker_processes auto;",
        "ssl_certificate_key /etc/nginx/site.key;",
        "proxy_cache_key $scheme$host;",
        "hostkey\t/etc/ssh/ssh_host_ed25519_key",
        "authorizedkeysfile\t.ssh/authorized_keys",
        "PubkeyAuthentication yes",
        "auth\tinclude system-auth",
        "auth       required   pam_unix.so nullok",
        "@include common-auth",
        "password substack password-auth",
        "deb [signed-by=/usr/share/keyrings/a.gpg] http://deb.debian.org/debian bookworm main",
        "job root umount -a\t@daily",
        "ssh -p 2222 a@b",
        "-A INPUT -p tcp --dport 22 -j ACCEPT",
        "iptables -A INPUT -p tcp --dport 22 -j ACCEPT",
        "-w /etc/passwd -p wa -k identity",
        "-a always,exit -S open -F key=access",
        "journalctl -u nginx -p err",
        "sudo -u postgres /usr/bin/vacuumdb -a -q",
        "mkdir -p /var/lib/a",
        "curl -H 'Content-Type: application/json' -H \"Accept: a/b\" http://a",
        "ldapsearch -H ldap://a -x",
        "docker run -u 1000:1000 -p 127.0.0.1:80:80 a",
        "ExecStart=/usr/sbin/unknown -p /run/a.pid -u daemon",
        "17 * * * * root cd / && run-parts --report /etc/cron.hourly",
        "25 6 * * * root test -x /usr/sbin/anacron || ( cd / && run-parts --report /etc/cron.daily )",
        "date -u +%H:%M",
        "%sudo ALL=(ALL:ALL) ALL",
    ] {
        assert_eq!(masked(line), line);
    }
}

#[test]
fn what_shows_itself() {
    for (line, secret) in [
        ("x AKIAIOSFODNN7EXAMPLE y", "AKIAIOSFODNN7EXAMPLE"),
        ("x = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "ghp_16C7"),
        ("glpat-abcdefghijklmnopqrst", "glpat-abcdefghij"),
        ("xoxb-123456789012-abcdefghijkl", "xoxb-1234"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N", "eyJ"),
        ("hook https://hooks.example/services/T01/B02/aB3dE5fG7hI9jK1lM3nO5pQ7", "aB3dE5"),
        ("https://3f0e8a1c9b7d4e6f8a0b2c4d6e8f0a1b@git.example/x", "3f0e8a1c"),
        ("id 3f0e8a1c9b7d4e6f8a0b2c4d6e8f0a1b", "3f0e8a1c9b7d"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIabc\nshort==\n-----END RSA PRIVATE KEY-----\nafter", "short"),
        ("k: -----BEGIN PRIVATE KEY-----MIIab-----END PRIVATE KEY-----", "MIIab"),
    ] {
        let masked = masked(line);
        assert!(!masked.contains(secret) && masked.contains("[masked]"), "{line} -> {masked}");
    }
}

#[test]
fn settings_stay_as_they_are() {
    for line in [
        "PermitRootLogin yes",
        "defaults mail_badpass\tmail_badpass",
        "PasswordAuthentication no",
        "PermitEmptyPasswords no",
        "AuthorizedKeysFile .ssh/authorized_keys",
        "HostKey /etc/ssh/ssh_host_ed25519_key",
        "Ciphers chacha20-poly1305@openssh.com,aes128-ctr,aes256-gcm@openssh.com",
        "KexAlgorithms sntrup761x25519-sha512@openssh.com,diffie-hellman-group16-sha512",
        "passwd:         files systemd",
        "password\t[success=1 default=ignore]\tpam_unix.so obscure yescrypt",
        "password   requisite   pam_pwquality.so retry=3",
        "PASS_MAX_DAYS\t99999",
        "net.ipv4.ip_forward = 1",
        "UUID=6f1a2b3c-4d5e-6f70-8192-a3b4c5d6e7f8 / ext4 defaults 0 1",
        "deb http://deb.debian.org/debian bookworm main",
        "After=systemd-networkd-wait-online.service",
        "ExecStart=/usr/lib/systemd/systemd-networkd-wait-online --timeout=10",
        "linux-image-6.1.0-18-amd64-unsigned",
        "/usr/lib/x86_64-linux-gnu/security/pam_unix.so",
        "127.0.0.1 localhost",
        "ssl_prefer_server_ciphers on; TLS_AES_256_GCM_SHA384 ECDHE-RSA-AES256-GCM-SHA384",
        "KbdInteractiveAuthentication no",
        "bypass=1",
        "http://proxy.example:3128/x@y",
        "root ALL=(ALL:ALL) NOPASSWD: /usr/bin/apt-get update",
        "git clone ssh://git@example.com/a",
    ] {
        assert_eq!(masked(line), line);
    }
}

#[test]
fn only_the_value_goes() {
    assert_eq!(masked("a = 1\npassword = x1 # why\nb = 2\n"), "a = 1\npassword = [masked]\nb = 2\n");
    assert_eq!(masked("postgres://u:pw@h/db"), "postgres://u:[masked]@h/db");
    assert_eq!(masked("x --token=abc --y z"), "x --token=[masked] --y z");
    assert_eq!(
        masked("-----BEGIN CERTIFICATE-----\nAAAA\nBBBB\n-----END CERTIFICATE-----\n"),
        "-----BEGIN CERTIFICATE-----\n[masked]\n-----END CERTIFICATE-----\n"
    );
}

proptest! {
    #[test]
    fn any_bytes_are_masked_and_stay_masked(bytes: Vec<u8>, key in "[a-z]{1,8}") {
        let _ = text(&bytes);
        let line = format!("{key}_password={}", crate::model::text::hex(&bytes));
        let once = text(line.as_bytes());
        prop_assert_eq!(text(&once), once);
    }

    #[test]
    fn a_random_key_never_stays(bytes in proptest::collection::vec(any::<u8>(), 24..48)) {
        use base64::Engine as _;
        let word = base64::engine::general_purpose::STANDARD.encode(&bytes);
        let hex = crate::model::text::hex(&bytes);
        prop_assume!(hex.bytes().any(|b| b.is_ascii_digit()) && hex.bytes().any(|b| b.is_ascii_lowercase()));
        let line = format!("a {word} b");
        prop_assert_ne!(text(line.as_bytes()), line.into_bytes());
    }
}
