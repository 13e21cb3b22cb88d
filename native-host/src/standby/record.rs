//! What a host knows of itself, beside its history: twice, so that one flipped bit is survived.

use quillwork_store::volume::{Volume, VolumeError};
use quillwork_store::{frame, unframe};

use super::standing::Standing;

/// The files' names; each is sealed under its own.
const COPIES: [&str; 2] = ["standing", "standing-copy"];

/// Far more than it takes.
const LARGEST: usize = 1 << 20;

/// Whether a file belongs to this host alone and is in no copy.
pub(crate) fn is_own(name: &str) -> bool {
    COPIES.contains(&name)
}

/// What was written last; `None` where nothing was. Damage is told and is as if nothing was.
pub(crate) fn read(volume: &impl Volume) -> Result<Option<Standing>, VolumeError> {
    // The first is written first: where both are sound and differ it is the later one.
    for name in COPIES {
        let Some(sealed) = volume.read(name, 0, LARGEST)? else { continue };
        let content = unframe(name.as_bytes(), &sealed).ok();
        let read = content.and_then(|content| serde_json::from_slice(content).ok());
        if read.is_some() {
            return Ok(read);
        }
        tracing::warn!("the file {name} beside the history is damaged; its copy counts, if that is sound");
    }
    Ok(None)
}

/// Writes it; it lasts when this returns.
pub(crate) fn write(volume: &mut impl Volume, standing: &Standing) -> Result<(), VolumeError> {
    let content = serde_json::to_vec(standing).expect("a standing has string keys");
    COPIES.into_iter().try_for_each(|name| volume.put(name, &frame(name.as_bytes(), &content)))
}

#[cfg(test)]
mod tests {
    use quillwork_store::volume::Memory;

    use super::*;

    #[test]
    fn a_flipped_bit_or_a_lost_copy_changes_nothing() {
        let mut sound = Memory::new();
        let standing = Standing { epoch: 3, ..Standing::alone(1, 2) };
        write(&mut sound, &standing).unwrap();
        for name in COPIES {
            let content = sound.read(name, 0, LARGEST).unwrap().unwrap();
            for at in 0..content.len() {
                let mut flipped = content.clone();
                flipped[at] ^= 1 << (at % 8);
                let mut volume = Memory::new();
                write(&mut volume, &standing).unwrap();
                volume.put(name, &flipped).unwrap();
                assert_eq!(read(&volume).unwrap().as_ref(), Some(&standing), "{name}, byte {at}");
            }
            let mut volume = Memory::new();
            write(&mut volume, &standing).unwrap();
            volume.remove(name).unwrap();
            assert_eq!(read(&volume).unwrap().as_ref(), Some(&standing));
        }
        assert_eq!(read(&Memory::new()).unwrap(), None);
    }
}
