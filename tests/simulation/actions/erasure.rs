//! People are erased, and devices ended, while their phones are anywhere.

use doorstep_core::docs::DocKind;
use doorstep_core::model::DocId;
use doorstep_core::store::StoreError;
use doorstep_server::hub::{Erasure, HubError, Redaction};
use doorstep_server::ledger::{Ending, LedgerError};

use crate::founding::replace;
use crate::record::Fate;
use crate::world::{Violation, World, ensure, of_ledger, tail};

impl World {
    /// Somebody asks to be forgotten: a resident or a party that the server has.
    pub(super) fn erase(&mut self) -> Result<(), Violation> {
        let Some(street) = self.dice.pick(&self.server.streets).copied() else { return Ok(()) };
        let Some(hub) = self.server.hub() else { return Ok(()) };
        let mut cards: Vec<DocId> = Vec::new();
        for kind in [DocKind::Resident, DocKind::Party] {
            hub.each_summary(street, kind, &mut |summary| cards.push(summary.id()))
                .map_err(|error| Violation { invariant: "the ledger can be read", detail: format!("{error:?}") })?;
        }
        cards.retain(|card| !self.record.erased.contains_key(card));
        let Some(card) = self.dice.pick(&cards).copied() else { return Ok(()) };
        let erased = self.server.hub().map(|hub| hub.erase(street, card));
        self.say(|| format!("the person of card {} is erased: {:?}", tail(card.as_bytes()), erased.as_ref().map(Result::is_ok)));
        // From when it stands in the list it holds, whatever is cut behind that.
        if self.server.erasures().iter().any(|erased| erased.doc == card && erased.part.is_none()) {
            self.record.erased.insert(card, (street, self.time.now()));
        }
        self.after_erasure(erased.map(|erased| erased.map(drop)))
    }

    /// A clerk redacts what some record says at one place.
    pub(super) fn redact(&mut self) -> Result<(), Violation> {
        let Some(street) = self.dice.pick(&self.server.streets).copied() else { return Ok(()) };
        let kind = self.dice.pick(&DocKind::ALL).copied().unwrap_or(DocKind::Household);
        let Some(hub) = self.server.hub() else { return Ok(()) };
        let mut docs: Vec<DocId> = Vec::new();
        let unreadable = |error| Violation { invariant: "the ledger can be read", detail: format!("{error:?}") };
        hub.each_summary(street, kind, &mut |summary| docs.push(summary.id())).map_err(unreadable)?;
        let Some(doc) = self.dice.pick(&docs).copied() else { return Ok(()) };
        let (document, _) = hub.document(street, doc).map_err(unreadable)?;
        let mut places: Vec<_> = document.personal_places().into_iter().map(|(place, _)| place).collect();
        places.retain(|place| !document.openers_at(place).is_empty() && !document.keys().is_full());
        let Some(place) = self.dice.pick(&places).cloned() else { return Ok(()) };
        let redacted = self.server.hub().map(|hub| hub.redact(street, doc, &place));
        self.say(|| format!("{place} of {} is redacted: {redacted:?}", tail(doc.as_bytes())));
        self.record.count("redactions");
        self.after_erasure(redacted)
    }

    fn after_erasure(&mut self, erased: Option<Result<(), HubError>>) -> Result<(), Violation> {
        match erased {
            None | Some(Ok(())) => {
                self.tell_lines();
                Ok(())
            }
            Some(Err(HubError::Ledger(LedgerError::Store(StoreError::Stopped)))) => {
                self.stop_server();
                Ok(())
            }
            Some(Err(error)) => ensure(false, "an operator's command succeeds", || format!("{error:?}")),
        }
    }

    /// What was erased has no key on the server, ever again, and what was redacted none that opens it.
    pub fn check_erased(&self) -> Result<(), Violation> {
        let hub = self.hub()?;
        for (card, (street, _)) in &self.record.erased {
            let (keys, _) = of_ledger(hub.ledger().keys(*street, *card))?;
            ensure(keys.is_erased(), "the erased never come back", || format!("{card:?}: {keys:?}"))?;
        }
        for Erasure { street, doc, part, .. } in self.server.erasures() {
            let Some(Redaction { path, field, key }) = part else { continue };
            let (keys, _) = of_ledger(hub.ledger().keys(street, doc))?;
            let is_cut = keys.is_erased() || keys.is_cut_at(key, &field, &path);
            ensure(is_cut, "what was redacted never comes back", || format!("{path} of {doc:?}: {keys:?}"))?;
        }
        Ok(())
    }

    /// A phone is reported as lost, or its person has gone.
    pub(super) fn end_device(&mut self, phone: usize) -> Result<(), Violation> {
        let Some(device) = self.phones[phone].engine().and_then(|engine| engine.identity()).map(|identity| identity.device) else {
            return Ok(());
        };
        let street = self.phones[phone].street;
        let ended = self.server.hub().map(|hub| hub.end_device(street, device, Ending::Lost));
        self.say(|| format!("the device of phone {phone} ends: {ended:?}"));
        self.after_operation(ended)
    }

    /// A phone has erased itself: all that waited on it is with the server, and its person gets another one.
    pub fn retire(&mut self, phone: usize) -> Result<(), Violation> {
        self.record.count("phones that erased themselves");
        let street = self.phones[phone].street;
        let is_plain = !self.record.restored && !self.phones[phone].has_other_lives;
        let waited: Vec<_> = self.record.promises.iter().filter(|(_, promise)| promise.phone == phone).map(|(group, _)| *group).collect();
        for group in waited {
            let Some(promise) = self.record.promises.get_mut(&group) else { continue };
            let before = std::mem::replace(&mut promise.fate, Fate::LetGo);
            if before != Fate::Waiting || promise.may_vanish || !is_plain {
                continue;
            }
            let Some(hub) = self.server.hub() else { continue };
            let kept =
                of_ledger(hub.ledger().group(street, group))?.is_some() || of_ledger(hub.ledger().quarantined(street, group))?.is_some();
            ensure(kept, "what waited on a device that ended is accepted or in quarantine", || format!("phone {phone}, {group:?}"))?;
        }
        self.say(|| format!("phone {phone} has erased itself"));
        self.phones[phone].stop();
        self.phones[phone].is_ended = true;
        self.record.speaking.remove(&phone);
        if let Some(hub) = self.server.hub() {
            match replace(hub, &self.phones[phone], &self.time, &mut self.dice) {
                Ok(mut new) => {
                    new.stays_connected &= !self.calm;
                    self.phones[phone] = new;
                    // A server that was set up again from before would not know it, and its person would have to enrol once more.
                    self.back_up_server()?;
                }
                Err(error) => self.say(|| format!("phone {phone} is not replaced: {error:?}")),
            }
        }
        if self.server.store.is_stopped() {
            self.stop_server();
        }
        Ok(())
    }

    /// Somebody who listened sends once more what a phone sent, as it was or with a word changed.
    pub(super) fn attack(&mut self, phone: usize) -> Result<(), Violation> {
        use doorstep_core::sync::{Encoding, Request, Response, Signed, open_frame, seal_frame};
        let Some(frame) = self.phones[phone].overheard.clone() else { return Ok(()) };
        let replayed = self.server.hub().map(|hub| hub.exchange(&frame));
        let is_stopped =
            |answer: &Result<Vec<u8>, HubError>| matches!(answer, Err(HubError::Ledger(LedgerError::Store(StoreError::Stopped))));
        match replayed {
            None => return Ok(()),
            Some(answer) if is_stopped(&answer) => {
                self.stop_server();
                return Ok(());
            }
            Some(answer) => {
                let answer: Option<Response> = answer.ok().and_then(|frame| open_frame(&frame).ok());
                let nothing = |answer: &Response| {
                    let only = Response { challenge: answer.challenge, ..Response::nothing(answer.now, answer.ledger) };
                    answer.challenge.is_some() && *answer == only
                };
                ensure(answer.as_ref().is_some_and(nothing), "a request counts once", || format!("phone {phone}: {answer:?}"))?;
            }
        }
        let undecodable = |_| Violation { invariant: "frames decode", detail: format!("of phone {phone}") };
        let signed: Signed = open_frame(&frame).map_err(undecodable)?;
        let request: Request = signed.open().map_err(undecodable)?;
        let forged = Request { fresh: request.fresh.map(|fresh| fresh.next(doorstep_core::model::Millis(i64::MAX))), ..request };
        let forged = Signed { payload: minicbor::to_vec(&forged).unwrap_or_default(), ..signed };
        let answer = self.server.hub().map(|hub| hub.exchange(&seal_frame(&forged, Encoding::Deflate)));
        let is_refused = matches!(answer, None | Some(Err(HubError::Signature(_) | HubError::UnknownDevice)));
        ensure(is_refused, "nobody speaks in another's name", || format!("phone {phone}: {answer:?}"))
    }
}
