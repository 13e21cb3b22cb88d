//! Where what is known about a type of task stands.

use crate::id_map::IdMap;
use crate::ids::TaskType;

/// The places of task types in a table of the owner's, in the order in which they came. Tasks of one type mostly come one after the
/// other, so the last one is found without a look-up.
#[derive(Clone, Debug)]
pub(super) struct ByType {
    places: IdMap<TaskType, u32>,
    recent: Option<(TaskType, u32)>,
}

impl ByType {
    pub(super) fn new() -> Self {
        Self { places: IdMap::new(), recent: None }
    }

    #[inline]
    pub(super) fn get(&self, task_type: TaskType) -> Option<usize> {
        match self.recent {
            Some((recent, place)) if recent == task_type => Some(place as usize),
            _ => self.places.get(&task_type).map(|&place| place as usize),
        }
    }

    /// As [`ByType::get`]; the same type is found faster the next time.
    #[inline]
    pub(super) fn find(&mut self, task_type: TaskType) -> Option<usize> {
        let place = self.get(task_type)?;
        self.recent = u32::try_from(place).ok().map(|place| (task_type, place));
        Some(place)
    }

    /// A type that is not there stands in this place from now on.
    pub(super) fn insert(&mut self, task_type: TaskType, place: usize) {
        let place = u32::try_from(place).expect("the owner bounds its types");
        let known = self.places.insert(task_type, place);
        debug_assert!(known.is_none(), "a type has one place");
        self.recent = Some((task_type, place));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_keep_their_places_whichever_came_last() {
        let mut places = ByType::new();
        for number in 0..10 {
            places.insert(TaskType::new(number), 9 - number as usize);
        }
        for number in [3, 3, 7, 0, 3, 9, 7] {
            assert_eq!(places.get(TaskType::new(number)), Some(9 - number as usize));
            assert_eq!(places.find(TaskType::new(number)), Some(9 - number as usize));
        }
        assert_eq!(places.find(TaskType::new(10)), None);
        assert_eq!(places.get(TaskType::new(7)), Some(2));
    }
}
