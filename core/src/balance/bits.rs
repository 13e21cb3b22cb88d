//! Sets of worker slots as bits in words.

pub(super) const fn word_of(index: usize) -> usize {
    index / WORD
}

pub(super) const fn bit_of(index: usize) -> u64 {
    1 << (index % WORD)
}

/// How many words hold so many bits.
pub(super) const fn words_for(bits: usize) -> usize {
    bits.div_ceil(WORD)
}

pub(super) fn contains(words: &[u64], index: usize) -> bool {
    words.get(word_of(index)).is_some_and(|word| word & bit_of(index) != 0)
}

pub(super) fn count(words: &[u64]) -> usize {
    words.iter().map(|word| word.count_ones() as usize).sum()
}

/// The position of the set bit number `nth`, counted from 0.
pub(super) fn select(words: &[u64], mut nth: usize) -> Option<usize> {
    for (index, &word) in words.iter().enumerate() {
        let ones = word.count_ones() as usize;
        if nth < ones {
            return Some(index * WORD + select_in_word(word, nth));
        }
        nth -= ones;
    }
    None
}

fn select_in_word(mut word: u64, mut nth: usize) -> usize {
    let mut position = 0;
    let mut width = WORD / 2;
    while width > 0 {
        let low = word & ((1 << width) - 1);
        let ones = low.count_ones() as usize;
        if nth < ones {
            word = low;
        } else {
            nth -= ones;
            word >>= width;
            position += width;
        }
        width /= 2;
    }
    position
}

/// The positions of the set bits, ascending.
#[derive(Clone, Debug)]
pub(super) struct Ones<'a> {
    words: &'a [u64],
    index: usize,
    rest: u64,
}

impl<'a> Ones<'a> {
    pub(super) fn of(words: &'a [u64]) -> Self {
        Self { words, index: 0, rest: words.first().copied().unwrap_or(0) }
    }
}

impl Iterator for Ones<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        while self.rest == 0 {
            self.index += 1;
            self.rest = *self.words.get(self.index)?;
        }
        let position = self.index * WORD + self.rest.trailing_zeros() as usize;
        self.rest &= self.rest - 1;
        Some(position)
    }
}

pub(super) const WORD: usize = 64;

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn positions_and_ranks_agree_with_a_list(words in prop::collection::vec(any::<u64>(), 0..5)) {
            let listed: Vec<usize> = (0..words.len() * WORD).filter(|&index| contains(&words, index)).collect();
            prop_assert_eq!(count(&words), listed.len());
            prop_assert_eq!(&Ones::of(&words).collect::<Vec<_>>(), &listed);
            for nth in 0..=listed.len() {
                prop_assert_eq!(select(&words, nth), listed.get(nth).copied());
            }
        }
    }
}
