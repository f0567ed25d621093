//! The way out of a live connection: a task that writes what is queued, one message after the other.

use axum::extract::ws::{Message, WebSocket};
use futures_util::SinkExt;
use futures_util::stream::SplitSink;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub(super) type Sink = SplitSink<WebSocket, Message>;

/// What waits for the way out.
pub(super) enum Outgoing {
    /// A message; [`Writer::sent`] says when it has left.
    Frame(Vec<u8>),
    /// A ping.
    Ping,
}

/// The queue and its task. Its length is bounded by the machine, which counts what has not left. Dropping it ends the task.
pub(super) struct Writer {
    queue: Option<UnboundedSender<Outgoing>>,
    sent: UnboundedReceiver<()>,
    drop_rest: CancellationToken,
    task: JoinHandle<Option<Sink>>,
}

impl Writer {
    pub(super) fn start(sink: Sink) -> Self {
        let (queue, queued) = unbounded_channel();
        let (told, sent) = unbounded_channel();
        let drop_rest = CancellationToken::new();
        let task = tokio::spawn(write(sink, queued, told, drop_rest.clone()));
        Self { queue: Some(queue), sent, drop_rest, task }
    }

    pub(super) fn put(&self, outgoing: Outgoing) {
        if let Some(queue) = &self.queue {
            // A task that has ended is heard of by `sent`.
            let _ = queue.send(outgoing);
        }
    }

    /// Waits until the next message has left; `None` when the line broke.
    pub(super) async fn sent(&mut self) -> Option<()> {
        self.sent.recv().await
    }

    /// Ends the task once it has written what is queued, or only the message that it is at; gives back the way out if it is still one.
    pub(super) async fn stop(mut self, write_rest: bool) -> Option<Sink> {
        self.queue = None;
        if !write_rest {
            self.drop_rest.cancel();
        }
        (&mut self.task).await.ok().flatten()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn write(
    mut sink: Sink,
    mut queued: UnboundedReceiver<Outgoing>,
    told: UnboundedSender<()>,
    drop_rest: CancellationToken,
) -> Option<Sink> {
    while let Some(outgoing) = queued.recv().await {
        if drop_rest.is_cancelled() {
            break;
        }
        let (message, is_frame) = match outgoing {
            Outgoing::Frame(frame) => (Message::Binary(frame.into()), true),
            Outgoing::Ping => (Message::Ping(Vec::new().into()), false),
        };
        sink.send(message).await.ok()?;
        if is_frame && told.send(()).is_err() {
            break;
        }
    }
    Some(sink)
}
