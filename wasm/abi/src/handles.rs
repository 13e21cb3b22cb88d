//! Things by their handles.

use alloc::vec::Vec;

/// Things by handle, counted from 1, until they are freed.
#[derive(Debug)]
pub struct Handles<T> {
    things: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Handles<T> {
    /// Takes a thing and gives its handle.
    ///
    /// # Panics
    ///
    /// Never: memory ends before handles do.
    pub fn insert(&mut self, thing: T) -> u32 {
        if let Some(handle) = self.free.pop() {
            self.things[handle as usize - 1] = Some(thing);
            return handle;
        }
        self.things.push(Some(thing));
        u32::try_from(self.things.len()).expect("memory ends before handles do")
    }

    /// The thing of this handle.
    ///
    /// # Panics
    ///
    /// Where nothing has it: a fault of the caller.
    pub fn get(&mut self, handle: u32) -> &mut T {
        (handle as usize)
            .checked_sub(1)
            .and_then(|at| self.things.get_mut(at))
            .and_then(Option::as_mut)
            .expect("the caller passes handles that it got and did not free")
    }

    /// Frees the thing of this handle. Nothing where there is none.
    pub fn remove(&mut self, handle: u32) {
        let place = (handle as usize).checked_sub(1).and_then(|at| self.things.get_mut(at));
        if place.and_then(Option::take).is_some() {
            self.free.push(handle);
        }
    }
}

impl<T> Default for Handles<T> {
    fn default() -> Self {
        Self { things: Vec::new(), free: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freed_handle_is_used_again_once() {
        let mut handles = Handles::default();
        let (one, two) = (handles.insert("one"), handles.insert("two"));
        handles.remove(one);
        handles.remove(one);
        assert_eq!(handles.insert("three"), one);
        assert_ne!(handles.insert("four"), one);
        assert_eq!((*handles.get(one), *handles.get(two)), ("three", "two"));
    }
}
