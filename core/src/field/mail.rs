//! Mail: what waits here, packed so that another person's phone can carry it. On a shared phone each person has a store of their own, which only they can
//! unlock; what they recorded reaches the server with whoever is next to have a signal.

use crate::field::tables;
use crate::field::{Engine, FieldError};
use crate::sync::client::SyncFailure;
use crate::sync::{Encoding, List, Mail, PROTOCOL_VERSION, Request, seal_frame};

impl Engine {
    /// Packs all that waits: one mail for each 256 kB, as bytes for a file that any session on this phone may carry to
    /// [`MAIL_PATH`](crate::field::MAIL_PATH). Nothing leaves the outbox: the verdicts come with the next sync of this store itself, which sends the same
    /// again. Empty where nothing waits, or while a restored server is given back what it lost.
    ///
    /// # Errors
    /// [`FieldError::NotEnrolled`], or when the store fails.
    pub fn mail(&self) -> Result<Vec<Vec<u8>>, FieldError> {
        let mut state = self.state();
        let given = state.given()?.clone();
        let key = state.identity.as_ref().ok_or(FieldError::NotEnrolled)?.key();
        let unfit = || FieldError::from(SyncFailure::Unfit { what: "the server's key is none" });
        let sealing = given.sealing.ok_or_else(unfit)?;
        let (mut mails, mut first) = (Vec::new(), 0);
        while state.reconciliation.is_none() {
            let page = self.page_from(&state, &key, first)?;
            let Some(last) = page.numbers.last() else { break };
            first = last + 1;
            let request = Request {
                protocol: PROTOCOL_VERSION,
                device: given.device,
                incarnation: state.incarnation,
                sent_at: self.clock.now(),
                ledger: state.ledger,
                cursors: List(Vec::new()),
                push: page.push,
                offers: None,
                relays: None,
                inbox: None,
                decisions: None,
                keys: self.wrapped(&mut state, page.bring_keys)?,
                fresh: None,
                signs_out: None,
            };
            let frame = seal_frame(&key.seal(tables::encode(&request)), Encoding::Deflate);
            let mail = Mail::seal(given.street, sealing, &frame, &mut *state.entropy).map_err(|_| unfit())?;
            mails.push(mail.to_bytes());
        }
        Ok(mails)
    }
}
