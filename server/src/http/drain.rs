//! Reads what is left of a body that its handler did not want.
//!
//! Most refusals come before the body: no token, too many tries, no such route. The connection is of further use only when the body has been
//! read to its end, and hyper closes it otherwise, without having said so: the client's next request on it fails, and where bytes arrive
//! after the close, the connection is reset and the answer itself may be lost. So a short rest is read before the answer goes out, within the
//! time that a body has; where that does not end it, the answer says that the connection closes.

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderValue, Version, header};
use axum::middleware::Next;
use axum::response::Response;
use http_body::{Frame, SizeHint};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::oneshot;

/// How much of a body is still read before the answer: several times what a phone may send at once.
const DRAINED_BYTES: u64 = 4 * 1024 * 1024;

pub(super) async fn drain(request: Request, next: Next) -> Response {
    // A stream of HTTP/2 ends by itself and leaves its connection as it is.
    if request.body().is_end_stream() || request.version() > Version::HTTP_11 {
        return next.run(request).await;
    }
    // Who asks before sending sends nothing once he has the answer.
    let asks_first = request.headers().contains_key(header::EXPECT);
    let (back, mut left) = oneshot::channel();
    let mut response = next.run(request.map(|body| Body::new(Lent { body, back: Some(back) }))).await;
    if let Ok(body) = left.try_recv()
        && (asks_first || !is_read_to_its_end(body).await)
    {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn is_read_to_its_end(mut body: Body) -> bool {
    let mut arrived = 0;
    if body.size_hint().lower() > DRAINED_BYTES {
        return false;
    }
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let Ok(frame) = frame else { return false };
        arrived += frame.data_ref().map_or(0, Bytes::len) as u64;
        if arrived > DRAINED_BYTES {
            return false;
        }
    }
    true
}

/// A body that goes back to where it came from when its reader lets it go before the end.
struct Lent {
    body: Body,
    back: Option<oneshot::Sender<Body>>,
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(back) = self.back.take()
            && !self.body.is_end_stream()
        {
            drop(back.send(std::mem::take(&mut self.body)));
        }
    }
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if matches!(frame, Poll::Ready(None)) {
            self.back = None;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
