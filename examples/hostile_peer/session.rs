//! One command on one channel: run for real by this machine's `/bin/sh`, or answered by a misbehaviour.
//!
//! *Invariant:* whatever the command started is gone when its channel is.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;

use russh::server::{Handle, Msg};
use russh::{Channel, ChannelId, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Sig};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use crate::trick::{Ending, Trick};

/// The stream number of standard error (RFC 4254, section 5.2).
const STANDARD_ERROR: u32 = 1;

/// Runs a command line, or misbehaves in its place.
pub(crate) async fn run(trick: Trick, line: Vec<u8>, channel: Channel<Msg>, session: Handle) {
    let id = channel.id();
    let (from_client, to_client) = channel.split();
    // An error here is a client that went away: there is nobody left to misbehave to.
    let _gone = match trick {
        Trick::Stdout => endless(&to_client, None).await,
        Trick::Stderr => endless(&to_client, Some(STANDARD_ERROR)).await,
        Trick::ExecSilent => {
            drain(from_client).await;
            Ok(())
        }
        Trick::EndsAtOnce => tell(Ending::True, Some(0), &to_client, &session, id).await,
        _ => match start(trick, line) {
            Ok(child) => attend(child, from_client, &to_client, &session, (id, trick.ending())).await,
            Err(_) => tell(Ending::True, Some(127), &to_client, &session, id).await,
        },
    };
}

/// The same bytes without end.
async fn endless(to_client: &ChannelWriteHalf<Msg>, stream: Option<u32>) -> Result<(), russh::Error> {
    let line = b"what a fine day it is to say something\n".repeat(800);
    loop {
        send(to_client, stream, line.clone()).await?;
    }
}

async fn send(to_client: &ChannelWriteHalf<Msg>, stream: Option<u32>, bytes: Vec<u8>) -> Result<(), russh::Error> {
    match stream {
        None => to_client.data_bytes(bytes).await,
        Some(number) => to_client.extended_data_bytes(number, bytes).await,
    }
}

async fn drain(mut from_client: ChannelReadHalf) {
    while from_client.wait().await.is_some() {}
}

fn start(trick: Trick, line: Vec<u8>) -> io::Result<Child> {
    let line = OsString::from_vec(line);
    let mut command;
    if let Trick::Lies(name) = trick {
        command = Command::new(std::env::current_exe()?);
        command.args(["--as-probe", name]);
    } else {
        command = Command::new("/bin/sh");
        command.arg("-c").arg(&line);
    }
    command
        .env_clear()
        .env("SSH_ORIGINAL_COMMAND", line)
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
    (id, ending): (ChannelId, Ending),
) -> Result<(), russh::Error> {
    let group = child.id().and_then(|number| Pid::from_raw(number.try_into().ok()?));
    // Without a bound on purpose: a full queue would stop the session's one loop, and with it the output that the
    // command must get rid of before it reads on.
    let (queue, queued) = mpsc::unbounded_channel();
    tokio::spawn(feed(child.stdin.take(), queued));
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let work = async {
        let (out, err) = tokio::join!(forward(out, to_client, None), forward(err, to_client, Some(STANDARD_ERROR)));
        out.and(err)?;
        Ok(child.wait().await?)
    };
    let mut listening = std::pin::pin!(listen(from_client, queue));
    let ended: Result<_, russh::Error> = tokio::select! {
        ended = work => ended,
        () = &mut listening => Err(russh::Error::Disconnect),
    };
    if ended.is_err()
        && let Some(group) = group
    {
        // Already gone is as good as killed.
        kill_process_group(group, Signal::KILL).ok();
    }
    let status = ended?;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    tell(ending, code.and_then(|code| u32::try_from(code).ok()), to_client, session, id).await?;
    if matches!(ending, Ending::NeverCloses | Ending::NoEnd) {
        // Dropping the channel would close it.
        listening.await;
    }
    Ok(())
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
            // The rest of the protocol is not played here; the enum is russh's.
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
        let mut chunk = Vec::with_capacity(32 << 10);
        if from.read_buf(&mut chunk).await? == 0 {
            return Ok(());
        }
        send(to_client, stream, chunk).await?;
    }
}

/// Tells the client how the command ended, or something else (RFC 4254, section 6.10).
async fn tell(
    ending: Ending,
    status: Option<u32>,
    to_client: &ChannelWriteHalf<Msg>,
    session: &Handle,
    id: ChannelId,
) -> Result<(), russh::Error> {
    match ending {
        Ending::True | Ending::NeverCloses => to_client.exit_status(status.unwrap_or(0)).await?,
        Ending::Status137 => to_client.exit_status(137).await?,
        Ending::Signal => {
            let sent = session.exit_signal_request(id, Sig::KILL, false, String::new(), String::new()).await;
            sent.map_err(|()| russh::Error::Disconnect)?;
        }
        Ending::NoStatus | Ending::NoEnd => {}
    }
    if ending != Ending::NoEnd {
        to_client.eof().await?;
    }
    if !matches!(ending, Ending::NeverCloses | Ending::NoEnd) {
        to_client.close().await?;
    }
    Ok(())
}
