//! The envelope of a change, read strictly and with bounds before automerge sees it.
//!
//! automerge inflates compressed chunks without a cap and expands run-length columns as far as they claim (a few bytes can claim 2^40
//! operations). So this reads the chunk by the format's specification (automerge.org/automerge-binary-format-spec, "Change Chunk"), lets
//! only uncompressed changes with the known columns of map operations pass, and adds the runs up before anything is decoded.

/// Why bytes are not a change that we would read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    /// The bytes end too early, or a length points beyond them.
    #[error("the bytes end too early")]
    Truncated,
    /// Not an automerge chunk, or bytes follow behind it.
    #[error("not exactly one automerge chunk")]
    NotAChunk,
    /// A chunk of another type than an uncompressed change.
    #[error("not an uncompressed change chunk")]
    WrongType,
    /// More operations, predecessors, dependencies or actors than a change of ours can have.
    #[error("a change with too many {what}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
    },
    /// A column that map operations do not have: lists, marks, compressed columns, columns of a newer format.
    #[error("column {spec:#x} is not one of map operations")]
    ForeignColumn {
        /// The column's specification as it stands in the chunk.
        spec: u64,
    },
    /// A message, or bytes behind the columns.
    #[error("a message or extra bytes")]
    ExtraContent,
    /// Dependencies that are not in order or stand twice: automerge keeps them so, and then does not load the document again.
    #[error("dependencies that are not in order")]
    UnorderedDependencies,
    /// The number of an actor that the change does not list, or an operation counter of 2^24 or more.
    #[error("{what} out of range")]
    OutOfRange {
        /// What is out of range.
        what: &'static str,
    },
}

/// The most operations of one change: a visit has about twenty, the largest command under a hundred.
pub const MOST_OPS: u64 = 512;
/// The most predecessors of all operations of one change together.
pub const MOST_PREDS: u64 = 2_048;
/// The most dependencies: as many heads as forty phones could leave on one document.
pub const MOST_DEPS: u64 = 64;
/// The most other actors that one change can name.
pub const MOST_ACTORS: u64 = 256;
/// The first operation counter that no change may reach: a counter near 2^32 makes every later honest write panic. At a hundred operations
/// a day this lasts for 450 years.
pub const MOST_OP_COUNTER: u64 = 1 << 24;

const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
const CHANGE: u8 = 1;
/// The columns of operations on maps, by specification: object, key, insert flag, action, value, predecessors. Those of list positions
/// (0x11, 0x13) are not among them.
const COLUMNS: [u64; 10] = [0x01, 0x02, 0x15, 0x34, 0x42, 0x56, 0x57, 0x70, 0x71, 0x73];
const OBJECT_COUNTER_COLUMN: u64 = 0x02;
const PRED_COUNT_COLUMN: u64 = 0x70;

/// Checks that `bytes` are exactly one uncompressed change chunk within bounds, and gives the checksum that it claims.
pub fn check(bytes: &[u8]) -> Result<[u8; 4], ChunkError> {
    let mut input = Input(bytes);
    if input.array::<4>()? != MAGIC {
        return Err(ChunkError::NotAChunk);
    }
    let checksum = input.array::<4>()?;
    if input.array::<1>()? != [CHANGE] {
        return Err(ChunkError::WrongType);
    }
    let length = input.length()?;
    if length != input.0.len() {
        return Err(ChunkError::NotAChunk);
    }
    check_body(&mut input)?;
    Ok(checksum)
}

fn check_body(input: &mut Input<'_>) -> Result<(), ChunkError> {
    let deps = bounded(input.unsigned()?, MOST_DEPS, "dependencies")?;
    let mut last: Option<[u8; 32]> = None;
    for _ in 0..deps {
        let dep = input.array::<32>()?;
        if last.is_some_and(|last| last >= dep) {
            return Err(ChunkError::UnorderedDependencies);
        }
        last = Some(dep);
    }
    skip_sized(input)?; // actor
    input.unsigned()?; // sequence number
    input.unsigned()?; // first operation
    input.signed()?; // time
    if input.length()? != 0 {
        return Err(ChunkError::ExtraContent); // a message
    }
    let others = bounded(input.unsigned()?, MOST_ACTORS, "actors")?;
    for _ in 0..others {
        skip_sized(input)?;
    }
    let count = bounded(input.unsigned()?, COLUMNS.len() as u64, "columns")?;
    let mut columns = Vec::new();
    for _ in 0..count {
        let spec = input.unsigned()?;
        if !COLUMNS.contains(&spec) {
            return Err(ChunkError::ForeignColumn { spec });
        }
        columns.push((spec, input.length()?));
    }
    for (spec, length) in columns {
        Column { spec, actors: others + 1, values: 0, preds: 0, counter: 0 }.check(input.take(length)?)?;
    }
    if input.0.is_empty() { Ok(()) } else { Err(ChunkError::ExtraContent) }
}

fn skip_sized(input: &mut Input<'_>) -> Result<(), ChunkError> {
    let length = input.length()?;
    input.take(length).map(drop)
}

const fn bounded(value: u64, most: u64, what: &'static str) -> Result<u64, ChunkError> {
    if value > most { Err(ChunkError::TooMany { what }) } else { Ok(value) }
}

/// What a column claims, added up run by run. The kind of its encoding stands in the last three bits of the specification.
struct Column {
    spec: u64,
    /// How many actors the change names, its author included.
    actors: u64,
    /// How many values the column claims so far.
    values: u64,
    /// How many predecessors the column of their counts claims so far.
    preds: u64,
    /// The counter that a column of differences has reached.
    counter: i64,
}

impl Column {
    fn check(mut self, bytes: &[u8]) -> Result<(), ChunkError> {
        let (most, what) = match self.spec {
            0x71 | 0x73 => (MOST_PREDS, "predecessors"),
            _ => (MOST_OPS, "operations"),
        };
        let mut input = Input(bytes);
        while !input.0.is_empty() {
            let run = match self.spec & 7 {
                7 => return Ok(()), // raw bytes of values: as long as they are
                4 => input.unsigned()?,
                _ => self.run(&mut input, most, what)?,
            };
            self.values = bounded(self.values.saturating_add(run), most, what)?;
        }
        Ok(())
    }

    /// One run of a run-length column: how many values it claims.
    fn run(&mut self, input: &mut Input<'_>, most: u64, what: &'static str) -> Result<u64, ChunkError> {
        match input.signed()? {
            0 => input.unsigned(), // a run of nothing
            run @ 1.. => {
                let run = bounded(run.unsigned_abs(), most, what)?;
                self.value(input, run).map(|()| run)
            }
            literal => {
                let count = bounded(literal.unsigned_abs(), most, what)?;
                (0..count).try_for_each(|_| self.value(input, 1)).map(|()| count)
            }
        }
    }

    /// One value that stands `times` times.
    fn value(&mut self, input: &mut Input<'_>, times: u64) -> Result<(), ChunkError> {
        match self.spec & 7 {
            3 => {
                let step = input.signed()?.saturating_mul(times.cast_signed());
                self.counter = self.counter.saturating_add(step);
                in_range(self.counter.try_into().unwrap_or(u64::MAX), MOST_OP_COUNTER, "an operation counter")
            }
            5 => skip_sized(input),
            kind => {
                let value = input.unsigned()?;
                match self.spec {
                    PRED_COUNT_COLUMN => {
                        self.preds = bounded(self.preds.saturating_add(value.saturating_mul(times)), MOST_PREDS, "predecessors")?;
                        Ok(())
                    }
                    OBJECT_COUNTER_COLUMN => in_range(value, MOST_OP_COUNTER, "an operation counter"),
                    _ if kind == 1 => in_range(value, self.actors, "an actor"),
                    _ => Ok(()),
                }
            }
        }
    }
}

const fn in_range(value: u64, end: u64, what: &'static str) -> Result<(), ChunkError> {
    if value < end { Ok(()) } else { Err(ChunkError::OutOfRange { what }) }
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], ChunkError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(ChunkError::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ChunkError> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(ChunkError::Truncated)?;
        self.0 = rest;
        Ok(*taken)
    }

    /// A length that must lie within the bytes that are left.
    fn length(&mut self) -> Result<usize, ChunkError> {
        let length = usize::try_from(self.unsigned()?).map_err(|_| ChunkError::Truncated)?;
        if length > self.0.len() { Err(ChunkError::Truncated) } else { Ok(length) }
    }

    /// Unsigned LEB128 of at most 64 bits.
    fn unsigned(&mut self) -> Result<u64, ChunkError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array::<1>()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(ChunkError::Truncated);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(ChunkError::Truncated)
    }

    /// Signed LEB128 of at most 64 bits.
    fn signed(&mut self) -> Result<i64, ChunkError> {
        let mut value = 0i64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array::<1>()?;
            value |= i64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let used = shift + 7;
                return Ok(if byte & 0x40 != 0 && used < 64 { value | (-1i64 << used) } else { value });
            }
        }
        Err(ChunkError::Truncated)
    }
}
