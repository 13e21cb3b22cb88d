//! A sketch taken apart for the wire, and put together again from whatever came over it.

use alloc::vec::Vec;
use core::fmt;

use super::sketch::{MIN_INDEXABLE, RelativeAccuracy, Sketch};

/// The plain fields of a [`Sketch`], as messages carry them. Of an empty one all numbers but the accuracy are zero.
#[derive(Clone, Debug, PartialEq)]
pub struct SketchParts {
    /// How many values.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// Relative accuracy, 0.01 for one per cent.
    pub relative_accuracy: f64,
    /// Values of zero.
    pub zeros: u64,
    /// Pairs of bucket index and count, ascending. Bucket `i` holds `(g^(i-1), g^i]` with `g = (1+a)/(1-a)`.
    pub buckets: Vec<(i32, u64)>,
}

impl Sketch {
    /// Takes a copy apart.
    #[must_use]
    pub fn to_parts(&self) -> SketchParts {
        SketchParts {
            count: self.count,
            sum: self.sum,
            min: self.min().unwrap_or(0.0),
            max: self.max().unwrap_or(0.0),
            relative_accuracy: self.accuracy.as_ratio(),
            zeros: self.zeros,
            buckets: self.buckets.clone(),
        }
    }

    /// Puts a sketch of at most `max_buckets` together from parts that may come from anybody.
    ///
    /// What passes is a sketch that some sequence of values could have led to, so that it can be merged and asked
    /// without further checks.
    ///
    /// # Errors
    ///
    /// [`InvalidParts`] says which of the rules the parts break.
    pub fn from_parts(parts: &SketchParts, max_buckets: usize) -> Result<Self, InvalidParts> {
        let accuracy = RelativeAccuracy::new(parts.relative_accuracy)
            .map_err(|invalid| InvalidParts::Accuracy(invalid.0))?;
        if parts.buckets.len() > max_buckets {
            return Err(InvalidParts::TooManyBuckets { count: parts.buckets.len(), limit: max_buckets });
        }
        let mut sketch = Self::with_max_buckets(accuracy, max_buckets);
        check_counts(parts)?;
        if parts.count == 0 {
            let all_zero = [parts.sum, parts.min, parts.max].iter().all(|number| number.abs() <= 0.0);
            return if all_zero { Ok(sketch) } else { Err(InvalidParts::NotEmpty) };
        }
        check_values(parts)?;
        check_indexes(parts, &sketch)?;
        sketch.buckets.extend_from_slice(&parts.buckets);
        sketch.zeros = parts.zeros;
        sketch.count = parts.count;
        sketch.sum = parts.sum;
        sketch.min = parts.min + 0.0;
        sketch.max = parts.max + 0.0;
        Ok(sketch)
    }
}

fn check_counts(parts: &SketchParts) -> Result<(), InvalidParts> {
    if parts.count > MAX_COUNT {
        return Err(InvalidParts::CountTooLarge);
    }
    let mut counted = parts.zeros;
    for (at, &(index, times)) in parts.buckets.iter().enumerate() {
        if times == 0 {
            return Err(InvalidParts::EmptyBucket { index });
        }
        if at > 0 && parts.buckets[at - 1].0 >= index {
            return Err(InvalidParts::Unsorted { index });
        }
        counted = counted.checked_add(times).ok_or(InvalidParts::CountTooLarge)?;
    }
    if counted == parts.count {
        Ok(())
    } else {
        Err(InvalidParts::CountMismatch { count: parts.count, counted })
    }
}

fn check_values(parts: &SketchParts) -> Result<(), InvalidParts> {
    if ![parts.sum, parts.min, parts.max].iter().all(|number| number.is_finite()) {
        return Err(InvalidParts::NotFinite);
    }
    if parts.min < 0.0 || parts.max < parts.min {
        return Err(InvalidParts::Range { min: parts.min, max: parts.max });
    }
    let count = parts.count as f64;
    if parts.sum < parts.min * count * (1.0 - SUM_TOLERANCE)
        || parts.sum > parts.max * count * (1.0 + SUM_TOLERANCE)
    {
        return Err(InvalidParts::Sum { sum: parts.sum });
    }
    Ok(())
}

/// Indexes must fit the extremes. One off is allowed for: another implementation's logarithm may round the other way.
fn check_indexes(parts: &SketchParts, sketch: &Sketch) -> Result<(), InvalidParts> {
    if (parts.zeros > 0) != (parts.min < MIN_INDEXABLE) {
        return Err(InvalidParts::Range { min: parts.min, max: parts.max });
    }
    let (Some(&(lowest, _)), Some(&(highest, _))) = (parts.buckets.first(), parts.buckets.last()) else {
        let only_zeros = parts.max < MIN_INDEXABLE;
        return if only_zeros { Ok(()) } else { Err(InvalidParts::Range { min: parts.min, max: parts.max }) };
    };
    if parts.max < MIN_INDEXABLE {
        return Err(InvalidParts::BucketOutOfRange { index: highest });
    }
    if sketch.index_of(parts.max).abs_diff(highest) > 1 {
        return Err(InvalidParts::BucketOutOfRange { index: highest });
    }
    // Folding only ever moves the lowest bucket up, so there is no upper bound for it but the highest.
    if lowest < sketch.index_of(parts.min.max(MIN_INDEXABLE)) - 1 {
        return Err(InvalidParts::BucketOutOfRange { index: lowest });
    }
    Ok(())
}

/// Why parts are not those of a sketch.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum InvalidParts {
    /// The relative accuracy is out of range.
    Accuracy(f64),
    /// More buckets than the receiver takes.
    TooManyBuckets {
        /// How many came.
        count: usize,
        /// How many may.
        limit: usize,
    },
    /// A count above 2⁵³, which JSON's numbers don't carry exactly.
    CountTooLarge,
    /// A bucket that counts nothing.
    EmptyBucket {
        /// Its index.
        index: i32,
    },
    /// Buckets that don't ascend, or an index twice.
    Unsorted {
        /// The first that is not above the one before it.
        index: i32,
    },
    /// Zeros and buckets don't add up to the count.
    CountMismatch {
        /// What the parts say.
        count: u64,
        /// What the zeros and buckets add up to.
        counted: u64,
    },
    /// Nothing was counted, and yet there is a sum, a smallest or a largest.
    NotEmpty,
    /// Sum, smallest or largest is infinite or not a number.
    NotFinite,
    /// Smallest and largest are not a range of what was counted.
    Range {
        /// The smallest.
        min: f64,
        /// The largest.
        max: f64,
    },
    /// The sum is not between the count times the smallest and the count times the largest.
    Sum {
        /// What the parts say.
        sum: f64,
    },
    /// A bucket that holds none of the values between smallest and largest.
    BucketOutOfRange {
        /// Its index.
        index: i32,
    },
}

impl fmt::Display for InvalidParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accuracy(accuracy) => write!(f, "relative accuracy {accuracy} is out of range"),
            Self::TooManyBuckets { count, limit } => {
                write!(f, "{count} buckets are more than the {limit} allowed")
            }
            Self::CountTooLarge => f.write_str("counts above 2^53 are not exact in JSON"),
            Self::EmptyBucket { index } => write!(f, "bucket {index} counts nothing: leave it out"),
            Self::Unsorted { index } => write!(f, "bucket {index} is not above the one before it"),
            Self::CountMismatch { count, counted } => {
                write!(f, "zeros and buckets add up to {counted}, not to the count of {count}")
            }
            Self::NotEmpty => f.write_str("nothing was counted, so sum, min and max must be 0"),
            Self::NotFinite => f.write_str("sum, min and max must be finite"),
            Self::Range { min, max } => write!(f, "min {min} and max {max} don't fit what was counted"),
            Self::Sum { sum } => write!(f, "sum {sum} is not between count times min and count times max"),
            Self::BucketOutOfRange { index } => write!(f, "bucket {index} lies outside min and max"),
        }
    }
}

impl core::error::Error for InvalidParts {}

const MAX_COUNT: u64 = 1 << 53;
/// Summing a thousand million values in any order stays within this.
const SUM_TOLERANCE: f64 = 1e-6;
