//! Lists with a bound.

use crate::sync::closed::closed;

/// A list of at most `MOST` items. Decoding more is an error, found before an item beyond the bound is decoded: a list of a million empty
/// items takes a megabyte on the wire and far more in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T, const MOST: usize>(pub Vec<T>);

impl<T, const MOST: usize> Default for List<T, MOST> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const MOST: usize> From<Vec<T>> for List<T, MOST> {
    fn from(items: Vec<T>) -> Self {
        Self(items)
    }
}

impl<C, T: minicbor::Encode<C>, const MOST: usize> minicbor::Encode<C> for List<T, MOST> {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.array(self.0.len() as u64)?;
        self.0.iter().try_for_each(|item| item.encode(e, ctx))
    }
}

impl<'b, C, T: minicbor::Decode<'b, C>, const MOST: usize> minicbor::Decode<'b, C> for List<T, MOST> {
    fn decode(d: &mut minicbor::Decoder<'b>, ctx: &mut C) -> Result<Self, minicbor::decode::Error> {
        let length = d.array()?.ok_or_else(|| minicbor::decode::Error::message("lists have a definite length"))?;
        if length > MOST as u64 {
            return Err(minicbor::decode::Error::message("a list is longer than the protocol allows"));
        }
        let mut items = Vec::new();
        for _ in 0..length {
            items.push(T::decode(d, ctx).map_err(closed)?);
        }
        Ok(Self(items))
    }
}
