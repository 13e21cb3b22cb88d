//! Whole numbers in few bytes: a column of them, and the small numbers around it.

/// Adds a column: a byte for the coding, and the numbers in whichever takes fewest bytes. `dense` asks for the coding that takes long
/// to make and little room, where it is built in; what is written soon again needn't.
pub(super) fn put_column(bytes: &mut Vec<u8>, numbers: &[i64], dense: bool) {
    let constant = numbers.first().filter(|first| numbers.iter().all(|number| number == *first));
    if let Some(&constant) = constant {
        bytes.push(CONSTANT);
        return put_number(bytes, fold(constant));
    }
    let start = bytes.len();
    bytes.push(DIFFERENCES);
    let mut before = 0_i64;
    for &number in numbers {
        put_number(bytes, fold(number.wrapping_sub(before)));
        before = number;
    }
    if !dense {
        return;
    }
    if let Some(packed) = pack(numbers)
        && 1 + packed.len() < bytes.len() - start
    {
        bytes.truncate(start);
        bytes.push(PACKED);
        put_number(bytes, packed.len() as u64);
        bytes.extend_from_slice(&packed);
    }
}

/// Takes a column of so many numbers; `None` where the bytes are none.
pub(super) fn take_column(bytes: &mut &[u8], length: usize) -> Option<Vec<i64>> {
    let (&coding, rest) = bytes.split_first()?;
    *bytes = rest;
    match coding {
        CONSTANT => Some(vec![unfold(take_number(bytes)?); length]),
        DIFFERENCES => {
            // Each takes a byte at least, so that no room is made for what can't come.
            let mut numbers = Vec::with_capacity(length.min(bytes.len()));
            let mut before = 0_i64;
            for _ in 0..length {
                before = before.wrapping_add(unfold(take_number(bytes)?));
                numbers.push(before);
            }
            Some(numbers)
        }
        PACKED => {
            let size = usize::try_from(take_number(bytes)?).ok()?;
            let (packed, rest) = bytes.split_at_checked(size)?;
            *bytes = rest;
            unpack(packed, length)
        }
        _ => None,
    }
}

/// Places of the numbers: how many in a row are there, how many in a row are not, and so on.
pub(super) fn put_places(bytes: &mut Vec<u8>, places: impl Iterator<Item = u32>) {
    let mut runs: Vec<u64> = Vec::new();
    let mut next = 0_u32;
    for place in places {
        let goes_on = place == next && runs.len() % 2 == 1;
        match runs.last_mut() {
            Some(present) if goes_on => *present += 1,
            _ => {
                if runs.is_empty() && place > 0 {
                    runs.push(0);
                }
                if place > next {
                    runs.push(u64::from(place - next));
                }
                runs.push(1);
            }
        }
        next = place + 1;
    }
    put_number(bytes, runs.len() as u64);
    runs.into_iter().for_each(|run| put_number(bytes, run));
}

/// Takes places below `length`.
pub(super) fn take_places(bytes: &mut &[u8], length: u32) -> Option<Vec<u32>> {
    let runs = take_number(bytes)?;
    let mut places = Vec::new();
    let mut next = 0_u32;
    for number in 0..runs {
        let run = u32::try_from(take_number(bytes)?).ok()?;
        let end = next.checked_add(run).filter(|&end| end <= length)?;
        if number % 2 == 0 {
            places.extend(next..end);
        }
        next = end;
    }
    Some(places)
}

/// Seven bits to a byte, the lowest first.
pub(super) fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            return bytes.push(low);
        }
        bytes.push(low | 0x80);
    }
}

pub(super) fn take_number(bytes: &mut &[u8]) -> Option<u64> {
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

/// 0, -1, 1, -2, 2 … as 0, 1, 2, 3, 4 …
pub(super) const fn fold(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

pub(super) const fn unfold(folded: u64) -> i64 {
    (folded >> 1).cast_signed() ^ -(folded & 1).cast_signed()
}

#[cfg(feature = "pco")]
fn pack(numbers: &[i64]) -> Option<Vec<u8>> {
    pco::standalone::simple_compress(numbers, &pco::ChunkConfig::default()).ok()
}

#[cfg(feature = "pco")]
fn unpack(packed: &[u8], length: usize) -> Option<Vec<i64>> {
    let mut numbers = vec![0; length];
    let progress = pco::standalone::simple_decompress_into(packed, &mut numbers).ok()?;
    (progress.n_processed == length && progress.finished).then_some(numbers)
}

#[cfg(not(feature = "pco"))]
fn pack(_numbers: &[i64]) -> Option<Vec<u8>> {
    None
}

#[cfg(not(feature = "pco"))]
fn unpack(_packed: &[u8], _length: usize) -> Option<Vec<i64>> {
    None
}

/// All are the same.
const CONSTANT: u8 = 0;
/// Each as its difference to the one before, folded.
const DIFFERENCES: u8 = 1;
/// By `pco`.
const PACKED: u8 = 2;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_column_comes_back(
            numbers in prop::collection::vec(prop_oneof![any::<i64>(), -50_i64..50, Just(7)], 1..300), dense: bool,
        ) {
            let mut bytes = Vec::new();
            put_column(&mut bytes, &numbers, dense);
            let mut rest = bytes.as_slice();
            prop_assert_eq!(take_column(&mut rest, numbers.len()), Some(numbers));
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn any_places_come_back(present in prop::collection::btree_set(0_u32..64, 0..64)) {
            let mut bytes = Vec::new();
            put_places(&mut bytes, present.iter().copied());
            let mut rest = bytes.as_slice();
            prop_assert_eq!(take_places(&mut rest, 64), Some(present.into_iter().collect()));
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn any_bytes_are_safe(bytes in prop::collection::vec(any::<u8>(), 0..60), length in 0_u32..80) {
            let _places = take_places(&mut bytes.as_slice(), length);
            let _column = take_column(&mut bytes.as_slice(), length as usize);
        }
    }

    #[test]
    fn what_does_not_change_takes_three_bytes() {
        let mut bytes = Vec::new();
        put_column(&mut bytes, &[500; 3_600], true);
        assert_eq!(bytes.len(), 3);
    }
}
