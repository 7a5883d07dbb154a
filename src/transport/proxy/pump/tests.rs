use super::*;
use std::time::Instant;

fn shell(text: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", text]);
    command
}

/// Members of the process group of a child whose id it printed.
fn is_running(id: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{id}/stat"))
        .is_ok_and(|stat| stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.starts_with(" Z")))
}

fn line(near: &mut UnixStream) -> String {
    let mut text = Vec::new();
    let mut byte = [0];
    while near.read_exact(&mut byte).is_ok() && byte != *b"\n" {
        text.extend(byte);
    }
    String::from_utf8(text).unwrap()
}

fn soon(what: &dyn Fn() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(5) {
        if what() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

#[test]
fn bytes_go_both_ways_and_are_counted() {
    let pumps = Pumps::default();
    let Link { mut near, meter } = pumps.start(&mut shell("exec cat")).unwrap();
    let sent: Vec<u8> = (0..1_000_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    let mut writer = near.try_clone().unwrap();
    let copy = sent.clone();
    let writing = std::thread::spawn(move || writer.write_all(&copy).unwrap());
    let mut back = vec![0; sent.len()];
    near.read_exact(&mut back).unwrap();
    writing.join().unwrap();
    assert!(back == sent);
    assert_eq!((meter.sent(), meter.received()), (1_000_000, 1_000_000));
    near.shutdown(Shutdown::Both).unwrap();
    assert_eq!(meter.end(Duration::from_secs(5)).unwrap().status, Some(0));
}

#[test]
fn what_a_child_said_comes_before_the_end_and_its_words_are_kept() {
    let pumps = Pumps::default();
    let script = "head -c 300000 /dev/zero; head -c 9000 /dev/zero | tr '\\0' e >&2; exit 7";
    let Link { mut near, meter } = pumps.start(&mut shell(script)).unwrap();
    let mut all = Vec::new();
    near.read_to_end(&mut all).unwrap();
    assert_eq!(all.len(), 300_000);
    let end = meter.end(Duration::from_secs(5)).unwrap();
    assert_eq!((end.status, end.words.len()), (Some(7), WORDS_KEPT));
    assert_eq!(meter.received(), 300_000);
}

#[test]
fn a_flood_that_nobody_reads_waits_in_the_child() {
    let pumps = Pumps::default();
    let Link { near, meter } = pumps.start(&mut shell("exec cat /dev/zero")).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    assert!(meter.received() < 4 << 20, "{}", meter.received());
    let start = Instant::now();
    drop(near);
    assert!(meter.end(Duration::from_secs(5)).is_some());
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[test]
fn a_child_that_ignores_everything_is_killed_with_its_own_children() {
    let pumps = Pumps::default();
    let script =
        "trap '' TERM HUP INT PIPE; (trap '' TERM; sleep 100; sleep 100) & echo $$ $!; while :; do sleep 1; done";
    let Link { mut near, meter } = pumps.start(&mut shell(script)).unwrap();
    let said = line(&mut near);
    let ids: Vec<&str> = said.split(' ').collect();
    assert!(ids.len() == 2 && ids.iter().all(|id| is_running(id)), "{said}");
    // It does not read what it is sent either, and is not waited for.
    near.set_nonblocking(true).unwrap();
    while near.write(&[0; 8 << 10]).is_ok() {}
    let start = Instant::now();
    near.shutdown(Shutdown::Both).unwrap();
    assert!(soon(&|| ids.iter().all(|id| !is_running(id))), "{said}");
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert_eq!(meter.end(Duration::from_secs(5)).unwrap().status, None);
}

#[test]
fn a_child_that_is_gone_at_once_is_an_end() {
    let pumps = Pumps::default();
    let Link { mut near, meter } = pumps.start(&mut shell("echo no way >&2; exit 3")).unwrap();
    assert_eq!(near.read(&mut [0; 8]).unwrap(), 0);
    let end = meter.end(Duration::from_secs(5)).unwrap();
    assert_eq!((end.status, end.words.as_slice()), (Some(3), b"no way\n".as_slice()));
    assert!(pumps.start(&mut Command::new("/nonexistent/program")).is_err());
}

#[test]
fn the_end_of_the_run_leaves_nothing_and_starts_nothing() {
    let pumps = Pumps::default();
    let mut links: Vec<Link> =
        (0..5).map(|_| pumps.start(&mut shell("trap '' TERM; echo $$; while :; do sleep 1; done")).unwrap()).collect();
    let ids: Vec<String> = links.iter_mut().map(|link| line(&mut link.near)).collect();
    let start = Instant::now();
    pumps.close();
    assert!(start.elapsed() < Duration::from_millis(1_900), "{:?}", start.elapsed());
    assert!(ids.iter().all(|id| !is_running(id)));
    assert!(pumps.start(&mut shell("exec cat")).is_err());
    assert_eq!(*lock(&pumps.0.running), 0);
}
