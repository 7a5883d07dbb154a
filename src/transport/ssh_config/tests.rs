//! What a configuration means, by `ssh -G` and by our own parser.
//!
//! *Invariant:* every home is a temporary folder; this process's environment is not touched.

#![expect(clippy::unwrap_used, reason = "a test may")]

use std::fs;

use tempfile::TempDir;

use super::*;

struct Home {
    folder: TempDir,
}

impl Home {
    fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(".ssh")).unwrap();
        fs::write(folder.path().join(".ssh/config"), config).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn surroundings(&self, ssh: Option<&str>) -> Surroundings {
        let home_of_ssh = Surroundings::of_this_process().home_of_ssh();
        let mut own = Surroundings::at(self.folder.path().to_owned(), home_of_ssh, ssh.map(PathBuf::from));
        own.user = Some("me".to_owned());
        own.system_config = self.path("ssh_config");
        own
    }

    /// By the ssh client and by our own parser, which must agree.
    fn both(&self, asked: Asked<'_>) -> Resolved {
        assert!(Path::new("/usr/bin/ssh").is_file(), "install the ssh client: apt-get install openssh-client");
        let own = SshConfig::read(self.surroundings(None), None).unwrap();
        let client = SshConfig::read(self.surroundings(Some("/usr/bin/ssh")), None).unwrap();
        let (own, client) = (own.resolve(asked), client.resolve(asked));
        assert_eq!(own, client);
        own
    }
}

fn ask(host: &str) -> Asked<'_> {
    Asked { host, port: None, user: Some("audit") }
}

const CONFIG: &str = "
Host web-* !web-9
    HostName %h.example.org
    Port 2222
    IdentityFile ~/.ssh/id_%r
    IdentitiesOnly yes
    HostKeyAlias golden
    IdentityAgent ~/agent.sock
    UserKnownHostsFile ~/.ssh/a ~/.ssh/b
Host *
    Port 2022
    ProxyJump none
";

#[test]
fn the_first_value_wins_and_negation_counts() {
    let home = Home::new(CONFIG);
    let web = home.both(ask("web-1"));
    assert_eq!((web.hostname.as_str(), web.port), ("web-1.example.org", 2222));
    assert_eq!(web.identities, [home.path(".ssh/id_audit")]);
    assert!(web.identities_only);
    assert_eq!(web.alias.as_deref(), Some("golden"));
    assert_eq!(web.agent, AgentChoice::At(home.path("agent.sock")));
    assert_eq!(web.user_known_hosts, [home.path(".ssh/a"), home.path(".ssh/b")]);
    assert_eq!(web.proxy, None);
    let other = home.both(ask("web-9"));
    assert_eq!((other.hostname.as_str(), other.port), ("web-9", 2022));
    assert_eq!(other.identities, Vec::<PathBuf>::new());
    assert_eq!(other.user_known_hosts, [home.path(".ssh/known_hosts"), home.path(".ssh/known_hosts2")]);
}

#[test]
fn what_is_asked_wins_over_the_files() {
    let home = Home::new(CONFIG);
    let web = home.both(Asked { host: "web-1", port: Some(22), user: Some("root") });
    assert_eq!((web.port, web.user.as_deref()), (22, Some("root")));
}

#[test]
fn proxies_are_seen() {
    let home = Home::new("Host a\n ProxyJump bastion\nHost b\n ProxyCommand nc %h %p\n");
    assert_eq!(home.both(ask("a")).proxy.unwrap(), ("ProxyJump", "bastion".to_owned()));
    assert_eq!(home.both(ask("b")).proxy.unwrap().0, "ProxyCommand");
    assert_eq!(home.both(ask("c")).proxy, None);
}

#[test]
fn an_include_holds_within_its_stanza() {
    let home = Home::new("Host web\n Include conf.d/*.conf\nHost *\n Port 2022\n");
    fs::create_dir(home.path(".ssh/conf.d")).unwrap();
    fs::write(home.path(".ssh/conf.d/1.conf"), "Port 2201\n").unwrap();
    fs::write(home.path(".ssh/conf.d/2.conf"), "Port 2202\nHost *\nUser included\n").unwrap();
    let config = SshConfig::read(home.surroundings(None), None).unwrap();
    let asked = |host| Asked { host, port: None, user: None };
    let web = config.resolve(asked("web"));
    assert_eq!((web.port, web.user.as_deref()), (2201, Some("included")));
    let other = config.resolve(asked("db"));
    assert_eq!((other.port, other.user.as_deref()), (2022, Some("me")));
}

#[test]
fn a_file_that_includes_itself_ends() {
    let home = Home::new("Include config\nPort 2022\n");
    assert_eq!(SshConfig::read(home.surroundings(None), None).unwrap().resolve(ask("web")).port, 2022);
}

#[test]
fn no_process_is_run_where_nothing_is_set_that_is_used() {
    let home = Home::new("Include conf.d/*\nHost *\n  ForwardAgent yes\n  SendEnv LANG\n");
    fs::create_dir(home.path(".ssh/conf.d")).unwrap();
    fs::write(home.path(".ssh/conf.d/x"), "Host *\n  ServerAliveInterval 5\n").unwrap();
    let spy = home.path("ssh");
    let ran = home.path("ran");
    fs::write(&spy, format!("#!/bin/sh\ntouch '{}'\n", ran.display())).unwrap();
    fs::set_permissions(&spy, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let resolved = |home: &Home| {
        SshConfig::read(home.surroundings(Some(spy.to_str().unwrap())), None).unwrap().resolve(ask("web"))
    };
    assert_eq!(resolved(&home).port, 22);
    assert!(!ran.exists());
    // An option that is used, in an included file and for other hosts only, and the client is asked.
    fs::write(home.path(".ssh/conf.d/y"), "Host db\n  Port 5\n").unwrap();
    let _ = resolved(&home);
    assert!(ran.exists());
}

#[test]
fn a_file_that_ssh_refuses_fails_nothing() {
    let home = Home::new("Host other\n  OptionOfTheFuture yes\nHost web\n  Port 2022\n");
    let config = SshConfig::read(home.surroundings(Some("/usr/bin/ssh")), None).unwrap();
    assert_eq!(config.resolve(ask("web")).port, 2022);
    assert!(config.warnings()[0].contains("optionofthefuture"), "{:?}", config.warnings());
}

#[test]
fn a_match_without_the_client_is_skipped_and_told() {
    let home = Home::new("Match user nobody\n  Port 1\nMatch all\n  Port 2022\n");
    let config = SshConfig::read(home.surroundings(None), None).unwrap();
    assert_eq!(config.resolve(ask("web")).port, 2022);
    assert_eq!(config.warnings().len(), 1);
}

#[test]
fn a_named_file_must_be_there_and_none_is_no_file() {
    let home = Home::new("Port 2022\n");
    let absent = home.path("absent");
    assert!(SshConfig::read(home.surroundings(None), Some(&absent)).is_err());
    let none = SshConfig::read(home.surroundings(None), Some(Path::new("none"))).unwrap();
    assert_eq!(none.resolve(ask("web")).port, 22);
}

#[test]
fn agents_can_be_named_or_forbidden() {
    let home = Home::new("Host a\n IdentityAgent none\nHost b\n IdentityAgent SSH_AUTH_SOCK\n");
    let mut own = home.surroundings(None);
    own.agent = Some(PathBuf::from("/agent"));
    let config = SshConfig::read(own, None).unwrap();
    assert_eq!(config.resolve(ask("a")).agent, AgentChoice::Nobody);
    assert_eq!(config.resolve(ask("b")).agent, AgentChoice::At(PathBuf::from("/agent")));
    assert_eq!(config.resolve(ask("c")).agent, AgentChoice::At(PathBuf::from("/agent")));
}
