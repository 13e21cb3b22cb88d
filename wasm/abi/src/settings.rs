//! Settings as the caller wrote them into the floats.

use quillwork_core::time::Duration;

use crate::clock::limit;

/// Reads settings one after the other, in the order that the export documents. What stands for "is there one" comes before it.
#[derive(Debug)]
pub struct Settings<'a> {
    left: &'a [f64],
}

impl<'a> Settings<'a> {
    /// From the first of these on.
    #[must_use]
    pub const fn new(floats: &'a [f64]) -> Self {
        Self { left: floats }
    }

    /// A number.
    ///
    /// # Panics
    ///
    /// Where the caller wrote fewer settings.
    pub fn number(&mut self) -> f64 {
        let (first, rest) = self.left.split_first().expect("the caller writes as many settings as are read");
        self.left = rest;
        *first
    }

    /// A whole number; what isn't saturates.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "casts of floats saturate, which suits counts"
    )]
    pub fn count(&mut self) -> u32 {
        self.number() as u32
    }

    /// A number that isn't 0.
    pub fn flag(&mut self) -> bool {
        self.count() != 0
    }

    /// Milliseconds.
    pub fn duration(&mut self) -> Duration {
        Duration::from_millis_f64(self.number())
    }

    /// Milliseconds, or infinity for none.
    pub fn limit(&mut self) -> Option<Duration> {
        limit(self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_in_the_order_they_were_written() {
        let mut settings = Settings::new(&[1.0, 0.25, 7.0, 1.5, f64::INFINITY, -3.0, 1e12]);
        assert!(settings.flag());
        assert!((settings.number() - 0.25).abs() < 1e-12);
        assert_eq!(settings.count(), 7);
        assert_eq!(settings.duration(), Duration::from_micros(1_500));
        assert_eq!(settings.limit(), None);
        assert_eq!((settings.count(), settings.count()), (0, u32::MAX));
    }
}
