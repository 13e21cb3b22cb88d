//! One chunk: a fixed number of steps, each with a whole number or a gap.

/// Values of a run of steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    /// The run's number: it starts at `index * length` steps.
    pub(super) index: u64,
    /// Of gaps it is 0.
    values: Vec<i64>,
    /// Bit by bit whether there is a value.
    valid: Vec<u8>,
}

impl Chunk {
    /// Nothing but gaps.
    pub(super) fn empty(index: u64, length: usize) -> Self {
        Self { index, values: vec![0; length], valid: vec![0; length.div_ceil(8)] }
    }

    pub(super) fn get(&self, place: usize) -> Option<i64> {
        (self.valid[place / 8] & (1 << (place % 8)) != 0).then(|| self.values[place])
    }

    pub(super) fn set(&mut self, place: usize, value: Option<i64>) {
        self.values[place] = value.unwrap_or(0);
        if value.is_some() {
            self.valid[place / 8] |= 1 << (place % 8);
        } else {
            self.valid[place / 8] &= !(1 << (place % 8));
        }
    }

    /// Makes gaps of all places from this one on. Says whether there was a value.
    pub(super) fn clear_from(&mut self, place: usize) -> bool {
        let held = (place..self.values.len()).any(|place| self.get(place).is_some());
        (place..self.values.len()).for_each(|place| self.set(place, None));
        held
    }

    pub(super) fn is_empty(&self) -> bool {
        self.valid.iter().all(|&bits| bits == 0)
    }

    /// Whether there are gaps (1 byte), where there are the validity bits, then of each value its difference to the one
    /// before: folded so that small ones of either sign are small, seven bits to a byte, the lowest first.
    pub(super) fn encode(&self) -> Vec<u8> {
        let has_gaps = (0..self.values.len()).any(|place| self.get(place).is_none());
        let mut bytes = Vec::with_capacity(self.values.len() + self.valid.len() + 1);
        bytes.push(u8::from(has_gaps));
        if has_gaps {
            bytes.extend_from_slice(&self.valid);
        }
        let mut before = 0;
        for value in (0..self.values.len()).filter_map(|place| self.get(place)) {
            put_number(&mut bytes, fold(value.wrapping_sub(before)));
            before = value;
        }
        bytes
    }

    /// `None` where the bytes are no chunk of this length.
    pub(super) fn decode(index: u64, length: usize, bytes: &[u8]) -> Option<Self> {
        let mut chunk = Self::empty(index, length);
        let (&has_gaps, mut rest) = bytes.split_first()?;
        match has_gaps {
            0 => (0..length).for_each(|place| chunk.set(place, Some(0))),
            1 => {
                let (valid, after) = rest.split_at_checked(chunk.valid.len())?;
                chunk.valid.copy_from_slice(valid);
                rest = after;
            }
            _ => return None,
        }
        let beyond =
            (length..chunk.valid.len() * 8).any(|place| chunk.valid[place / 8] & (1 << (place % 8)) != 0);
        if beyond {
            return None;
        }
        let mut before = 0_i64;
        for place in 0..length {
            if chunk.get(place).is_some() {
                let difference = unfold(take_number(&mut rest)?);
                before = before.wrapping_add(difference);
                chunk.set(place, Some(before));
            }
        }
        rest.is_empty().then_some(chunk)
    }
}

/// 0, -1, 1, -2, 2 … as 0, 1, 2, 3, 4 …
fn fold(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

fn unfold(folded: u64) -> i64 {
    (folded >> 1).cast_signed() ^ -(folded & 1).cast_signed()
}

fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7f);
        if bits << shift >> shift != bits {
            return None;
        }
        number |= bits << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = Option<i64>> {
        prop_oneof![Just(None), any::<i64>().prop_map(Some), (-50_i64..50).prop_map(Some)]
    }

    proptest! {
        #[test]
        fn any_chunk_comes_back(values in prop::collection::vec(value(), 1..80)) {
            let mut chunk = Chunk::empty(3, values.len());
            for (place, &value) in values.iter().enumerate() {
                chunk.set(place, value);
            }
            let back = Chunk::decode(3, values.len(), &chunk.encode());
            prop_assert_eq!(back.as_ref(), Some(&chunk));
            prop_assert!((0..values.len()).map(|place| chunk.get(place)).eq(values.iter().copied()));
            prop_assert_eq!(chunk.is_empty(), values.iter().all(Option::is_none));
        }

        #[test]
        fn any_bytes_are_safe(bytes in prop::collection::vec(any::<u8>(), 0..60), length in 1_usize..40) {
            if let Some(chunk) = Chunk::decode(0, length, &bytes) {
                let again = Chunk::decode(0, length, &chunk.encode());
                prop_assert_eq!(again, Some(chunk));
            }
        }
    }

    #[test]
    fn a_full_chunk_of_small_changes_takes_a_byte_a_value() {
        let mut chunk = Chunk::empty(0, 600);
        for place in 0..600 {
            chunk.set(place, Some(500 + i64::try_from(place % 7).unwrap() * 9));
        }
        // The first value takes two bytes, and the chunk one.
        assert_eq!(chunk.encode().len(), 602);
    }
}
