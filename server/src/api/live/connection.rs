//! One live connection, from the first message to the last.

use std::future::pending;
use std::pin::Pin;
use std::time::{Duration, Instant};

use axum::Error;
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use doorstep_core::model::Millis;
use doorstep_core::sync::FrameError;
use doorstep_core::sync::live::Close;
use doorstep_core::sync::live::server::{Effect, Input, Pace, Session};
use futures_util::stream::SplitStream;
use futures_util::{SinkExt, StreamExt};
use tokio_util::sync::CancellationToken;

use super::super::Api;
use super::writer::{Outgoing, Writer};
use crate::hub::{HubError, Subscription};
use crate::problem::Problem;
use crate::telemetry::{LIVE_CONNECTIONS, LIVE_PUSHED, LIVE_RESYNCS};

/// How long a phone may take to answer a close: what it does not do then is not waited for.
const CLOSE_GRACE: Duration = Duration::from_secs(5);

type Call = Pin<Box<dyn Future<Output = Result<Done, Close>> + Send>>;

/// What a call of the hub came to, and what there is to hear of since.
struct Done {
    input: Input,
    topics: Vec<crate::hub::Topic>,
}

/// A connection and what it waits for.
pub(super) struct Connection {
    api: Api,
    stop: CancellationToken,
    session: Session,
    subscription: Subscription,
    call: Option<Call>,
    began: Instant,
    _counted: Counted,
}

impl Connection {
    pub(super) fn new(api: Api, pace: Pace, stop: CancellationToken) -> Self {
        let subscription = api.hub.listen();
        let session = Session::new(pace, Millis(0));
        Self { api, stop, session, subscription, call: None, began: Instant::now(), _counted: Counted::begin() }
    }

    /// The time of the machine: since the beginning, by a clock that nobody sets.
    fn now(&self) -> Millis {
        Millis(i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX))
    }

    /// Runs it to its end.
    pub(super) async fn run(mut self, socket: WebSocket) {
        let (sink, mut stream) = socket.split();
        let mut writer = Writer::start(sink);
        loop {
            let alarm = self.session.wakeup().map(|due| due.since(self.now()));
            let input = tokio::select! {
                message = stream.next() => match message {
                    Some(message) => read(message),
                    None => return,
                },
                () = self.subscription.moved() => Some(Input::Moved),
                done = under_way(&mut self.call) => {
                    self.call = None;
                    Some(self.finished(done))
                }
                sent = writer.sent() => match sent {
                    Some(()) => Some(Input::Sent),
                    None => return, // the line broke
                },
                () = self.stop.cancelled() => Some(Input::Stop),
                () = until(alarm) => Some(Input::Tick),
            };
            let Some(input) = input else { return };
            let mut effects = Vec::new();
            self.session.handle(self.now(), input, &mut effects);
            for effect in effects {
                match effect {
                    Effect::Serve(frame, device) => self.call = Some(serve(self.api.clone(), frame, device)),
                    Effect::ReadOn(standing) => self.call = Some(read_on(self.api.clone(), standing)),
                    Effect::Send(frame) => writer.put(Outgoing::Frame(frame)),
                    Effect::Ping => writer.put(Outgoing::Ping),
                    Effect::Close(close) => return end(writer, stream, close).await,
                }
            }
        }
    }

    /// Listens to what the phone may read now. Topics that are new may have moved before anybody listened, so they are looked at.
    fn finished(&mut self, done: Result<Done, Close>) -> Input {
        match done {
            Ok(Done { input, topics }) => {
                if self.subscription.follow(topics) {
                    self.subscription.look();
                }
                input
            }
            Err(close) => Input::Refused(close),
        }
    }
}

/// What a message is to the machine; `None` where there is nobody any more.
fn read(message: Result<Message, Error>) -> Option<Input> {
    match message {
        Ok(Message::Binary(bytes)) => Some(Input::Message(bytes.into())),
        Ok(Message::Ping(_) | Message::Pong(_)) => Some(Input::Heard),
        Ok(Message::Text(_)) => Some(Input::Unreadable(FrameError::Undecodable { at: 0 }.into())),
        Ok(Message::Close(_)) => None,
        Err(error) if is_too_long(&error) => Some(Input::Unreadable(FrameError::TooLong.into())),
        Err(_) => None,
    }
}

fn is_too_long(error: &Error) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<tungstenite::Error>());
    matches!(source, Some(tungstenite::Error::Capacity(_)))
}

fn serve(api: Api, frame: Vec<u8>, device: Option<doorstep_core::model::DeviceId>) -> Call {
    Box::pin(async move {
        let served = api.try_call(move |hub| hub.serve_live(&frame, device)).await.map_err(of_problem)?.map_err(|error| of_hub(&error))?;
        let input = Input::Served { device: served.device, frame: served.frame, standing: served.standing };
        Ok(Done { input, topics: served.topics })
    })
}

fn read_on(api: Api, standing: Box<doorstep_core::sync::server::Standing>) -> Call {
    Box::pin(async move {
        let pushed = api.try_call(move |hub| hub.read_live(*standing)).await.map_err(of_problem)?.map_err(|error| of_hub(&error))?;
        metrics::counter!(LIVE_PUSHED).increment(u64::from(pushed.frame.is_some()));
        Ok(Done { input: Input::ReadOn { frame: pushed.frame, standing: pushed.standing }, topics: pushed.topics })
    })
}

fn of_problem(problem: Problem) -> Close {
    Close::NotReady { code: problem.code() }
}

/// How what the hub says looks on a live connection.
fn of_hub(error: &HubError) -> Close {
    let code = error.code();
    match error {
        HubError::Frame(_) | HubError::Protocol { .. } => Close::Frame { code },
        HubError::UnknownDevice | HubError::Signature(_) => Close::Unauthorised { code },
        HubError::AnotherDevice => Close::AnotherDevice,
        error => {
            tracing::warn!(%error, "a live connection is not served");
            Close::NotReady { code }
        }
    }
}

/// Closes: tells the phone why, and reads away what is still on its way, so that the reason is not lost in a reset.
async fn end(writer: Writer, mut stream: SplitStream<WebSocket>, close: Close) {
    tracing::debug!(number = close.number(), code = close.code(), "a live connection is closed");
    if close == Close::Resync {
        metrics::counter!(LIVE_RESYNCS).increment(1);
    }
    let goodbye = async {
        if let Some(mut sink) = writer.stop(close == Close::Stopping).await {
            let frame = CloseFrame { code: close.number(), reason: close.code().into() };
            if sink.send(Message::Close(Some(frame))).await.is_ok() {
                while let Some(Ok(_)) = stream.next().await {}
            }
        }
    };
    // A phone that does not take even this is gone.
    let _ = tokio::time::timeout(CLOSE_GRACE, goodbye).await;
}

async fn under_way(call: &mut Option<Call>) -> Result<Done, Close> {
    match call {
        Some(call) => call.await,
        None => pending().await,
    }
}

async fn until(millis: Option<i64>) {
    match millis {
        Some(millis) => tokio::time::sleep(Duration::from_millis(millis.max(0).unsigned_abs())).await,
        None => pending().await,
    }
}

/// Counts a connection while it is open.
struct Counted;

impl Counted {
    fn begin() -> Self {
        metrics::gauge!(LIVE_CONNECTIONS).increment(1.0);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        metrics::gauge!(LIVE_CONNECTIONS).decrement(1.0);
    }
}
