//! The other end of a live connection made by hand: sends whatever a test wants, and sees what comes as it is.

use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};

use doorstep_core::field::LIVE_PATH;
use doorstep_core::sync::{Response, open_frame};
use tungstenite::{Error, Message, WebSocket};

use crate::watcher::PATIENCE;

/// A WebSocket to a server.
pub struct RawLive {
    socket: WebSocket<TcpStream>,
}

impl RawLive {
    /// Opens one.
    pub fn open(server: SocketAddr) -> Self {
        Self::try_open(server).unwrap_or_else(|status| panic!("the upgrade was answered {status}"))
    }

    /// Tries to open one; the status and the code of the answer if it was refused.
    pub fn try_open(server: SocketAddr) -> Result<Self, String> {
        let stream = TcpStream::connect(server).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        match tungstenite::client(format!("ws://{server}{LIVE_PATH}"), stream) {
            Ok((socket, _)) => Ok(Self { socket }),
            Err(tungstenite::HandshakeError::Failure(Error::Http(answer))) => {
                let code = answer.headers().get("doorstep-code").map_or("", |code| code.to_str().unwrap());
                Err(format!("{} {code}", answer.status().as_u16()))
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Sends a binary message.
    pub fn send(&mut self, bytes: &[u8]) {
        // A server that closes while this is on its way says why all the same.
        let _ = self.socket.send(Message::binary(bytes.to_vec()));
    }

    /// Sends a text.
    pub fn send_text(&mut self, text: &str) {
        let _ = self.socket.send(Message::text(text.to_owned()));
    }

    /// The next message of the protocol.
    pub fn response(&mut self) -> Response {
        loop {
            match self.socket.read().unwrap() {
                Message::Binary(bytes) => return open_frame(&bytes).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Reads on until the server closes: its close code and its reason.
    pub fn closed(&mut self) -> (u16, String) {
        loop {
            match self.socket.read() {
                Ok(Message::Close(Some(close))) => return (close.code.into(), close.reason.to_string()),
                Ok(_) => {}
                Err(error) => panic!("closed without a reason: {error}"),
            }
        }
    }

    /// What comes to somebody who answers nothing, not even a ping, until the server has closed the connection.
    pub fn sleep_through(mut self) -> Vec<u8> {
        let mut all = Vec::new();
        let stream = self.socket.get_mut();
        let mut piece = [0; 4_096];
        loop {
            match stream.read(&mut piece) {
                Ok(0) => return all,
                Ok(length) => all.extend_from_slice(&piece[..length]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return all,
                Err(error) => panic!("the server keeps the connection: {error}"),
            }
        }
    }
}
