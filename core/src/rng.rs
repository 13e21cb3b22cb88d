//! Random numbers from a seed, the same on every machine.
//!
//! [`Rng`] is xoshiro256++ (Blackman and Vigna, 2019), seeded through SplitMix64 as its authors advise. It is fast, small and
//! passes the usual statistical suites. It is **not** for secrets: whoever sees a few outputs can compute the rest.
//!
//! Core draws no random number of its own: a policy that wants randomness takes an `Rng`, so that a recorded seed replays
//! its choices.
//!
//! ```
//! use quillwork_core::rng::Rng;
//!
//! let mut first = Rng::from_seed(42);
//! let mut second = Rng::from_seed(42);
//! assert_eq!(first.next_u64(), second.next_u64());
//! assert!(first.below(6) < 6);
//! ```

use core::ops::RangeInclusive;

/// A seeded generator of pseudo-random numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rng {
    state: [u64; 4],
}

impl Rng {
    /// A generator whose whole sequence follows from `seed`. Any seed is as good as any other, zero included.
    #[must_use]
    pub const fn from_seed(seed: u64) -> Self {
        let (a, seed) = split_mix(seed);
        let (b, seed) = split_mix(seed);
        let (c, seed) = split_mix(seed);
        let (d, _) = split_mix(seed);
        Self { state: [a, b, c, d] }
    }

    /// A further generator whose sequence has nothing visibly to do with this one's. For giving each part of a
    /// simulation its own, so that one part drawing more often doesn't change the others.
    #[must_use]
    pub const fn fork(&mut self) -> Self {
        Self::from_seed(self.next_u64())
    }

    /// 64 random bits.
    pub const fn next_u64(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let shifted = b << 17;
        let c = c ^ a;
        let d = d ^ b;
        self.state = [a ^ d, b ^ c, c ^ shifted, d.rotate_left(45)];
        result
    }

    /// 32 random bits.
    pub const fn next_u32(&mut self) -> u32 {
        (self.next_u64() >> 32) as u32
    }

    /// A number in `0..bound`, every one as likely as any other (Lemire's rejection method).
    ///
    /// # Panics
    ///
    /// Where `bound` is 0: there is no number to choose.
    pub const fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "a number below zero was asked for");
        loop {
            let product = self.next_u64() as u128 * bound as u128;
            #[expect(clippy::cast_possible_truncation, reason = "the low half is what the method compares")]
            let low = product as u64;
            // The threshold is below the bound: most draws are spared the division.
            if low >= bound || low >= bound.wrapping_neg() % bound {
                return (product >> 64) as u64;
            }
        }
    }

    /// An index in `0..len`.
    ///
    /// # Panics
    ///
    /// Where `len` is 0.
    pub const fn index(&mut self, len: usize) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "the result is below a usize")]
        let index = self.below(len as u64) as usize;
        index
    }

    /// A number in `range`, its ends included.
    ///
    /// # Panics
    ///
    /// Where the range is empty.
    pub const fn in_range(&mut self, range: RangeInclusive<u64>) -> u64 {
        let (start, end) = (*range.start(), *range.end());
        assert!(start <= end, "a number in an empty range was asked for");
        let span = end - start;
        if span == u64::MAX { self.next_u64() } else { start + self.below(span + 1) }
    }

    /// A number in `[0, 1)`, a multiple of 2⁻⁵³.
    pub const fn unit_f64(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// `true` with this probability; always for 1 and more, never for 0, less and NaN.
    pub const fn chance(&mut self, probability: f64) -> bool {
        self.unit_f64() < probability
    }

    /// A draw from the exponential distribution with this mean: the gap between arrivals of a Poisson process.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        // 1 - u is in (0, 1], whose logarithm is finite.
        -mean * libm::log(1.0 - self.unit_f64())
    }

    /// Puts `items` into a random order, each order as likely as any other (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.index(last + 1));
        }
    }
}

const fn split_mix(seed: u64) -> (u64, u64) {
    let seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    (mix(seed), seed)
}

/// SplitMix64's finalizer: spreads every input bit over all output bits, and is a bijection.
pub(crate) const fn mix(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SplitMix64's published first outputs for seed 1234567.
    #[test]
    fn split_mix_matches_its_reference() {
        let (first, seed) = split_mix(1_234_567);
        let (second, _) = split_mix(seed);
        assert_eq!([first, second], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }

    /// xoshiro256++'s published first outputs for the state 1, 2, 3, 4.
    #[test]
    fn xoshiro_matches_its_reference() {
        let mut rng = Rng { state: [1, 2, 3, 4] };
        let drawn = [rng.next_u64(), rng.next_u64(), rng.next_u64(), rng.next_u64()];
        assert_eq!(drawn, [41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386]);
    }

    #[test]
    fn below_reaches_every_number_about_as_often() {
        let mut rng = Rng::from_seed(1);
        let mut seen = [0_u32; 6];
        for _ in 0..60_000 {
            seen[rng.index(6)] += 1;
        }
        // Six standard deviations of a binomial count of mean 10,000.
        assert!(seen.iter().all(|&count| count.abs_diff(10_000) < 550), "{seen:?}");
    }

    #[test]
    fn ranges_include_both_ends() {
        let mut rng = Rng::from_seed(2);
        let drawn: alloc::vec::Vec<u64> = (0..200).map(|_| rng.in_range(5..=7)).collect();
        assert!((5..=7).all(|wanted| drawn.contains(&wanted)) && drawn.iter().all(|n| (5..=7).contains(n)));
        assert_eq!(rng.in_range(9..=9), 9);
        let _whole = rng.in_range(0..=u64::MAX);
    }

    #[test]
    fn exponential_has_its_mean() {
        let mut rng = Rng::from_seed(3);
        let mean = (0..50_000).map(|_| rng.exponential(4.0)).sum::<f64>() / 50_000.0;
        assert!((mean - 4.0).abs() < 0.15, "{mean}");
    }

    #[test]
    fn shuffle_keeps_every_item() {
        let mut items: alloc::vec::Vec<u32> = (0..100).collect();
        Rng::from_seed(4).shuffle(&mut items);
        assert!(!items.is_sorted());
        items.sort_unstable();
        assert!(items.into_iter().eq(0..100));
    }

    #[test]
    fn forks_differ_from_their_parent_and_each_other() {
        let mut rng = Rng::from_seed(5);
        let (mut a, mut b) = (rng.fork(), rng.fork());
        let (a, b, c) = (a.next_u64(), b.next_u64(), rng.next_u64());
        assert!(a != b && b != c && a != c);
    }
}
