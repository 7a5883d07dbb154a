//! One command on a simulated host: takes the probe and the request, and answers as the probe would.
//!
//! *Invariant:* nothing that comes from the client is run; a command other than this build's own is not found.

use std::sync::Arc;

use driftscan::collect::{PACKED, READY_PACKED, Way};
use driftscan::protocol::request::{FollowUp, MAGIC, MESSAGE_MAX};
use russh::server::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf};

use crate::cast::Part;
use crate::reply::Reply;
use crate::script::{Question, Scripts};

/// What a shell answers to a command that is not there.
const NOT_FOUND: u32 = 127;
/// The bootstrap's status where the probe did not arrive whole.
const NO_PLACE: u32 = 95;
/// The probe's status where it does not understand.
const NOT_UNDERSTOOD: u32 = 64;

/// Plays the command to its end.
pub(crate) async fn play((part, host): (Part, usize), line: Vec<u8>, channel: Channel<Msg>, scripts: Arc<Scripts>) {
    let (from_client, to_client) = channel.split();
    if part == Part::Stalled {
        let mut input = Input::new(from_client);
        while input.more().await {}
        return;
    }
    let is = |way: &Way| [false, true].iter().any(|sudo| way.command(*sudo).as_bytes() == line);
    let status = match [Way::Either, Way::Stream, Way::Installed].into_iter().find(is) {
        Some(way) => answer((part, host), way, from_client, &to_client, &scripts).await.err().unwrap_or(0),
        None => NOT_FOUND,
    };
    // An error here is a client that went away: there is nobody left to tell.
    let _gone = to_client.exit_status(status).await;
    let _gone = to_client.eof().await;
    let _gone = to_client.close().await;
}

/// The conversation; a status where it failed.
async fn answer(
    seat: (Part, usize),
    way: Way,
    from_client: ChannelReadHalf,
    to_client: &ChannelWriteHalf<Msg>,
    scripts: &Scripts,
) -> Result<(), u32> {
    let mut input = Input::new(from_client);
    let mut reply = Reply::new();
    // A host has an installed probe where it is asked for; where either will do, it shows the longer way.
    if way == Way::Installed {
        to_client.data_bytes(reply.take()).await.map_err(|_| NOT_UNDERSTOOD)?;
    } else {
        to_client.data_bytes(READY_PACKED).await.map_err(|_| NO_PLACE)?;
        input.expect(PACKED).await.ok_or(NO_PLACE)?;
    }
    input.expect(&MAGIC).await.ok_or(NOT_UNDERSTOOD)?;
    let body = input.body().await.ok_or(NOT_UNDERSTOOD)?;
    let question = Question::read(&body).ok_or(NOT_UNDERSTOOD)?;
    let script = scripts.script(&question, &body).await.ok_or(NOT_UNDERSTOOD)?;
    script.open(seat, &question.nonce, &question.host, &mut reply);
    let mut told = 0;
    loop {
        to_client.data_bytes(reply.take()).await.map_err(|_| NOT_UNDERSTOOD)?;
        let message = match input.byte().await {
            // The end of input is a good-bye that nobody waits for.
            None => FollowUp::Bye,
            Some(kind) => {
                let payload = input.body().await.ok_or(NOT_UNDERSTOOD)?;
                FollowUp::decode(kind, &payload).map_err(|_| NOT_UNDERSTOOD)?
            }
        };
        if script.follow(seat, &message, &mut told, &mut reply) {
            return to_client.data_bytes(reply.take()).await.map_err(|_| NOT_UNDERSTOOD);
        }
    }
}

/// Standard input of the command.
struct Input {
    channel: ChannelReadHalf,
    chunk: Vec<u8>,
    /// How much of the chunk was taken.
    taken: usize,
    ended: bool,
}

impl Input {
    fn new(channel: ChannelReadHalf) -> Self {
        Self { channel, chunk: Vec::new(), taken: 0, ended: false }
    }

    /// Waits for another chunk; `false` at the end.
    async fn more(&mut self) -> bool {
        while !self.ended {
            match self.channel.wait().await {
                Some(ChannelMsg::Data { data }) => {
                    (self.chunk, self.taken) = (data.to_vec(), 0);
                    return true;
                }
                None | Some(ChannelMsg::Eof | ChannelMsg::Close) => self.ended = true,
                // The rest of the protocol is not played here; the enum is russh's.
                Some(_) => {}
            }
        }
        false
    }

    /// Takes at most so many bytes; none at the end.
    async fn some(&mut self, most: usize) -> &[u8] {
        while self.taken == self.chunk.len() && self.more().await {}
        let from = self.taken;
        self.taken = self.chunk.len().min(from + most);
        &self.chunk[from..self.taken]
    }

    /// Takes exactly these bytes.
    async fn expect(&mut self, expected: &[u8]) -> Option<()> {
        let mut rest = expected;
        while !rest.is_empty() {
            let some = self.some(rest.len()).await;
            rest = rest.strip_prefix(some).filter(|_| !some.is_empty())?;
        }
        Some(())
    }

    async fn byte(&mut self) -> Option<u8> {
        self.some(1).await.first().copied()
    }

    /// Takes a length and as many bytes.
    async fn body(&mut self) -> Option<Vec<u8>> {
        let length = self.exactly(4).await?;
        let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
        if length > MESSAGE_MAX { None } else { self.exactly(length).await }
    }

    async fn exactly(&mut self, many: usize) -> Option<Vec<u8>> {
        let mut taken = Vec::with_capacity(many);
        while taken.len() < many {
            let some = self.some(many - taken.len()).await;
            if some.is_empty() {
                return None;
            }
            taken.extend_from_slice(some);
        }
        Some(taken)
    }
}
