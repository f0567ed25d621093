//! The network between phones and server: what is sent arrives later, twice, spoiled or never, and may overtake.

use std::collections::BTreeSet;

use doorstep_core::field::{CONTENT_TYPE, TransportAnswer, TransportFault};

use crate::dice::Dice;

/// How bad the network is, in thousandths.
#[derive(Debug, Clone, Copy, Default)]
pub struct Weather {
    pub lost: u64,
    pub doubled: u64,
    /// Delays longer than a phone waits.
    pub slow: u64,
    /// Answers that are cut, or replaced by somebody else's page.
    pub spoiled: u64,
}

impl Weather {
    pub fn of(dice: &mut Dice, fair: bool) -> Self {
        let mut some = |most| if dice.chance(300) { 0 } else { dice.below(most) };
        let weather = Self { lost: some(300), doubled: some(200), slow: some(100), spoiled: some(200) };
        if fair { Self::default() } else { weather }
    }
}

/// The usual and the longest delay of one way, in milliseconds; the longest is beyond every deadline.
const USUAL_DELAY: i64 = 40;
const LONGEST_DELAY: i64 = 3_600_000;

/// Where a letter goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    ToServer,
    ToPhone,
}

/// What a rule says to a letter from or to a phone; the first answer wins. So a test can add its own faults.
#[allow(dead_code, reason = "each test makes the rules that it needs")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// Delivered after so many milliseconds.
    After(i64),
    Dropped,
    /// The next rule says.
    Unsaid,
}

pub type Rule = Box<dyn FnMut(usize, Way) -> Passage>;

/// The network.
#[derive(Default)]
pub struct Net {
    pub weather: Weather,
    pub rules: Vec<Rule>,
    cut_off: BTreeSet<usize>,
}

/// What becomes of a letter.
pub enum Fate {
    /// Copies arrive after these times; none: lost on the way.
    Arrives(Vec<i64>),
    /// The phone has no connection and knows it at once.
    NoConnection,
}

impl Net {
    pub fn new(weather: Weather) -> Self {
        Self { weather, ..Self::default() }
    }

    /// Cuts a phone off until it is connected again. Nobody else is touched.
    pub fn cut_off(&mut self, phone: usize) {
        self.cut_off.insert(phone);
    }

    pub fn reconnect(&mut self, phone: usize) {
        self.cut_off.remove(&phone);
    }

    /// All faults end.
    pub fn calm(&mut self) {
        *self = Self::default();
    }

    pub fn is_cut_off(&self, phone: usize) -> bool {
        self.cut_off.contains(&phone)
    }

    /// What becomes of a letter of a phone, or to it.
    pub fn fate(&mut self, dice: &mut Dice, phone: usize, way: Way) -> Fate {
        for rule in &mut self.rules {
            match rule(phone, way) {
                Passage::After(delay) => return Fate::Arrives(vec![delay]),
                Passage::Dropped => return Fate::Arrives(Vec::new()),
                Passage::Unsaid => {}
            }
        }
        if self.is_cut_off(phone) {
            return if way == Way::ToServer && dice.chance(500) { Fate::NoConnection } else { Fate::Arrives(Vec::new()) };
        }
        if dice.chance(self.weather.lost) {
            return Fate::Arrives(Vec::new());
        }
        let copies = if dice.chance(self.weather.doubled) { 2 } else { 1 };
        Fate::Arrives((0..copies).map(|_| self.delay(dice)).collect())
    }

    fn delay(&self, dice: &mut Dice) -> i64 {
        let longest = if dice.chance(self.weather.slow) { LONGEST_DELAY } else { USUAL_DELAY * 50 };
        dice.spread(USUAL_DELAY, longest)
    }

    /// An answer as it comes out of the network.
    pub fn spoil(&self, dice: &mut Dice, answer: Carried) -> Carried {
        let Ok(mut whole) = answer else { return answer };
        if !dice.chance(self.weather.spoiled) {
            return Ok(whole);
        }
        match dice.below(4) {
            0 => Ok(page(200, "<html>欢迎使用 Wi-Fi</html>")),
            1 => Ok(page(502, "<html>Bad Gateway</html>")),
            2 => Err(TransportFault::Unreachable),
            _ => {
                whole.body.truncate(dice.below(whole.body.len() as u64) as usize);
                Ok(whole)
            }
        }
    }
}

/// What a phone's transport says.
pub type Carried = Result<TransportAnswer, TransportFault>;

/// An answer of our server.
pub fn frame(body: Vec<u8>) -> TransportAnswer {
    TransportAnswer { status: 200, content_type: CONTENT_TYPE.to_owned(), code: None, body }
}

/// A problem of our server.
pub fn problem(status: u16, code: &str) -> TransportAnswer {
    TransportAnswer { status, content_type: "application/problem+json".to_owned(), code: Some(code.to_owned()), body: Vec::new() }
}

/// A page of somebody else.
pub fn page(status: u16, text: &str) -> TransportAnswer {
    TransportAnswer { status, content_type: "text/html".to_owned(), code: None, body: text.as_bytes().to_vec() }
}
