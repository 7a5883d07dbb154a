//! One command on one channel, run for real by this machine's `/bin/sh`, as sshd does it.
//!
//! *Invariant:* whatever the command started is gone when its channel is.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};

use russh::server::{Handle, Msg};
use russh::{Channel, ChannelId, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Sig};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

/// The stream number of standard error (RFC 4254, section 5.2).
const STANDARD_ERROR: u32 = 1;

/// What sshd answers when the shell itself could not be started.
const NOT_STARTED: u32 = 127;

/// Runs a command line, passes its three streams through, and tells the client how it ended.
pub(crate) async fn run(line: Vec<u8>, channel: Channel<Msg>, session: Handle) {
    let id = channel.id();
    let (from_client, to_client) = channel.split();
    // An error here is a client that went away: there is nobody left to tell.
    let _gone = match start(line) {
        Ok(child) => attend(child, from_client, &to_client, &session, id).await,
        Err(_) => to_client.exit_status(NOT_STARTED).await,
    };
    let _gone = to_client.eof().await;
    let _gone = to_client.close().await;
}

fn start(line: Vec<u8>) -> io::Result<Child> {
    Command::new("/bin/sh")
        .arg("-c")
        .arg(OsString::from_vec(line))
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin")
        .env("HOME", "/")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A group of its own, so that what it started can be ended with it.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

async fn attend(
    mut child: Child,
    from_client: ChannelReadHalf,
    to_client: &ChannelWriteHalf<Msg>,
    session: &Handle,
    id: ChannelId,
) -> Result<(), russh::Error> {
    let group = child.id().and_then(|number| Pid::from_raw(number.try_into().ok()?));
    // Without a bound on purpose: a full queue would stop the session's one loop, and with it the output that the
    // command must get rid of before it reads on. The only client is the demonstration itself.
    let (queue, queued) = mpsc::unbounded_channel();
    tokio::spawn(feed(child.stdin.take(), queued));
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let work = async {
        let (out, err) = tokio::join!(forward(out, to_client, None), forward(err, to_client, Some(STANDARD_ERROR)));
        out.and(err)?;
        Ok(child.wait().await?)
    };
    let ended: Result<ExitStatus, russh::Error> = tokio::select! {
        ended = work => ended,
        () = listen(from_client, queue) => Err(russh::Error::Disconnect),
    };
    if ended.is_err()
        && let Some(group) = group
    {
        // Already gone is as good as killed.
        kill_process_group(group, Signal::KILL).ok();
    }
    tell(ended?, to_client, session, id).await
}

/// Takes what the client sends, until it closes the channel; its end of file only closes the queue.
async fn listen(mut from_client: ChannelReadHalf, queue: UnboundedSender<Vec<u8>>) {
    let mut queue = Some(queue);
    while let Some(message) = from_client.wait().await {
        match message {
            ChannelMsg::Data { data } => {
                // A command that closed its standard input is told nothing more, and goes on.
                let unread = queue.as_ref().is_some_and(|queue| queue.send(data.to_vec()).is_err());
                if unread {
                    queue = None;
                }
            }
            ChannelMsg::Eof => queue = None,
            ChannelMsg::Close => return,
            // The rest of the protocol (windows, signals, terminals) is not played here; the enum is russh's.
            _ => {}
        }
    }
}

async fn feed(stdin: Option<ChildStdin>, mut queued: UnboundedReceiver<Vec<u8>>) {
    let Some(mut stdin) = stdin else { return };
    while let Some(chunk) = queued.recv().await {
        if stdin.write_all(&chunk).await.is_err() {
            return;
        }
    }
}

async fn forward(
    from: Option<impl AsyncRead + Unpin>,
    to_client: &ChannelWriteHalf<Msg>,
    stream: Option<u32>,
) -> Result<(), russh::Error> {
    let Some(mut from) = from else { return Ok(()) };
    loop {
        let mut chunk = Vec::with_capacity(32 * 1024);
        if from.read_buf(&mut chunk).await? == 0 {
            return Ok(());
        }
        match stream {
            None => to_client.data_bytes(chunk).await?,
            Some(number) => to_client.extended_data_bytes(number, chunk).await?,
        }
    }
}

/// Tells the client how the command ended: by a status, or by a signal (RFC 4254, section 6.10).
async fn tell(
    ended: ExitStatus,
    to_client: &ChannelWriteHalf<Msg>,
    session: &Handle,
    id: ChannelId,
) -> Result<(), russh::Error> {
    if let Some(code) = ended.code().and_then(|code| u32::try_from(code).ok()) {
        return to_client.exit_status(code).await;
    }
    let name = match ended.signal().and_then(Signal::from_named_raw) {
        Some(Signal::KILL) => Sig::KILL,
        Some(Signal::PIPE) => Sig::PIPE,
        Some(Signal::TERM) => Sig::TERM,
        other => Sig::Custom(format!("{other:?}@example.org")),
    };
    let sent = session.exit_signal_request(id, name, false, String::new(), String::new()).await;
    sent.map_err(|()| russh::Error::Disconnect)
}
