//! Lists in pages.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::number::number;

/// Entries of a page where the query doesn't say.
const USUAL: usize = 100;
/// Entries of a page at most.
const MOST: u64 = 1_000;

/// Which page of a list: what follows a key, in the order of keys. Entries that come or go meanwhile neither shift the
/// others nor repeat them, as a number of entries to skip would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Paging {
    limit: usize,
    after: Option<String>,
}

impl Default for Paging {
    fn default() -> Self {
        Self { limit: USUAL, after: None }
    }
}

impl Paging {
    /// Takes a parameter if it is one of paging; says whether it was.
    pub(super) fn take(&mut self, parameter: &str, value: &str) -> Result<bool, String> {
        match parameter {
            "limit" => self.limit = number("limit", value, 1..=MOST)?,
            "cursor" => {
                let key = URL_SAFE_NO_PAD.decode(value).ok().and_then(|key| String::from_utf8(key).ok());
                self.after = Some(key.ok_or_else(|| {
                    format!("`cursor` must be `nextCursor` of the page before, not {value:?}")
                })?);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The page's part of entries that are sorted by key, and the cursor of the next page if there is one.
    pub(super) fn page<T>(
        &self,
        entries: impl IntoIterator<Item = T>,
        key: fn(&T) -> &str,
    ) -> (Vec<T>, Option<String>) {
        let is_after = |entry: &T| self.after.as_deref().is_none_or(|after| key(entry) > after);
        let mut following = entries.into_iter().filter(is_after);
        let page: Vec<T> = following.by_ref().take(self.limit).collect();
        let more = following.next().is_some();
        let next = page.last().filter(|_| more).map(|last| URL_SAFE_NO_PAD.encode(key(last)));
        (page, next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_go_through_a_list_that_changes_meanwhile() {
        let mut entries: Vec<&str> = vec!["a", "b", "d", "e"];
        let mut paging = Paging::default();
        assert_eq!(paging.take("limit", "2"), Ok(true));
        let (page, next) = paging.page(entries.clone(), |entry| entry);
        assert_eq!(page, ["a", "b"]);
        entries.retain(|entry| *entry != "b");
        entries.insert(1, "c");
        assert_eq!(paging.take("cursor", &next.unwrap()), Ok(true));
        let (page, next) = paging.page(entries.clone(), |entry| entry);
        assert_eq!(page, ["c", "d"]);
        paging.take("cursor", &next.unwrap()).unwrap();
        assert_eq!(paging.page(entries, |entry| entry), (vec!["e"], None));
    }

    #[test]
    fn what_can_not_be_right_is_said() {
        for (parameter, value) in [("limit", "0"), ("limit", "1001"), ("limit", "x"), ("cursor", "ä")] {
            assert!(Paging::default().take(parameter, value).unwrap_err().contains(parameter));
        }
        assert_eq!(Paging::default().take("other", "1"), Ok(false));
    }
}
