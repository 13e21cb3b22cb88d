//! Sorting in little code, for lists that are short or seldom sorted.
//!
//! The standard library's sort is several kilobytes for each type and key that it is made for, which whoever downloads core pays for. This
//! is a heapsort (Williams and Floyd, 1964): in place, unstable, n log n comparisons at worst. Keys that tell all items apart make the order
//! the only one there is.

/// Sorts by a key, ascending. Asks for keys more than once. What is in order already costs one look at each item.
pub(crate) fn sort_by_key<T, K: Ord>(items: &mut [T], mut key: impl FnMut(&T) -> K) {
    if items.is_sorted_by_key(&mut key) {
        return;
    }
    // The first half of the steps makes a heap with the greatest item in front; the others take that one off, to the end.
    let half = items.len() / 2;
    for step in (0..items.len() + half).rev() {
        let (mut parent, end) =
            if step >= items.len() { (step - items.len(), items.len()) } else { (0, step) };
        if step < items.len() {
            items.swap(0, step);
        }
        loop {
            let mut child = 2 * parent + 1;
            if child >= end {
                break;
            }
            if child + 1 < end && key(&items[child]) < key(&items[child + 1]) {
                child += 1;
            }
            if key(&items[parent]) >= key(&items[child]) {
                break;
            }
            items.swap(parent, child);
            parent = child;
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sorts_as_the_standard_library_does(items in prop::collection::vec((0_u8..16, any::<u16>()), 0..80)) {
            let mut expected: Vec<_> = items.clone();
            expected.sort_unstable_by_key(|&item| core::cmp::Reverse(item));
            let mut sorted = items;
            sort_by_key(&mut sorted, |&item| core::cmp::Reverse(item));
            prop_assert_eq!(sorted, expected);
        }
    }
}
