//! Words and numbers in the kernel's texts. Nothing here panics, whatever the bytes.

use std::str;

/// Lines without their ends.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&byte| byte == b'\n')
}

/// What stands between white space.
pub(super) fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

/// A whole number that fits, of digits alone.
pub(super) fn number(word: &[u8]) -> Option<u64> {
    if word.is_empty() {
        return None;
    }
    word.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

/// A finite number.
pub(super) fn float(word: &[u8]) -> Option<f64> {
    str::from_utf8(word).ok()?.parse().ok().filter(|number: &f64| number.is_finite())
}

/// The next word as a whole number.
pub(super) fn next<'a>(words: &mut impl Iterator<Item = &'a [u8]>) -> Option<u64> {
    number(words.next()?)
}

/// The number behind `key` and white space, on the line that begins with them.
pub(super) fn value(text: &[u8], key: &[u8]) -> Option<u64> {
    lines(text).find_map(|line| {
        let rest = line.strip_prefix(key)?;
        rest.first().filter(|byte| byte.is_ascii_whitespace())?;
        next(&mut words(rest))
    })
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_digits_that_fit() {
        assert_eq!(number(b"18446744073709551615"), Some(u64::MAX));
        for word in [&b""[..], b"-1", b"18446744073709551616", b"1x", b"\xff"] {
            assert_eq!(number(word), None, "{word:?}");
        }
        assert_eq!((float(b"-12.5"), float(b"nan"), float(b"1e999")), (Some(-12.5), None, None));
    }

    #[test]
    fn a_key_is_a_whole_word() {
        let text = b"total_cache 1\ncache_total 2\ncache 3\n";
        assert_eq!(value(text, b"cache"), Some(3));
        assert_eq!(value(text, b"rss"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in vec(any::<u8>(), 0..64)) {
            for line in lines(&bytes) {
                for word in words(line) {
                    number(word);
                    float(word);
                }
            }
            value(&bytes, b"x");
        }
    }
}
