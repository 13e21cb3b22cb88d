//! Keys of the records: one letter for the table, then numbers with the high byte first, so that they sort.

use crate::series::SeriesId;

/// The format of the whole.
pub(super) const FORMAT: &[u8] = b"history/format";
/// All series.
pub(super) const SERIES: &[u8] = b"history/series/";
/// All chunks.
pub(super) const CHUNKS: &[u8] = b"history/chunk/";

pub(super) fn series(id: SeriesId) -> Vec<u8> {
    [SERIES, &id.0.to_be_bytes()].concat()
}

pub(super) fn chunk(id: SeriesId, index: u64) -> Vec<u8> {
    [CHUNKS, &id.0.to_be_bytes(), &index.to_be_bytes()].concat()
}

pub(super) fn parse_series(key: &[u8]) -> Option<SeriesId> {
    let id = key.strip_prefix(SERIES)?.try_into().ok()?;
    Some(SeriesId(u32::from_be_bytes(id)))
}

pub(super) fn parse_chunk(key: &[u8]) -> Option<(SeriesId, u64)> {
    let (id, index) = key.strip_prefix(CHUNKS)?.split_first_chunk::<4>()?;
    Some((SeriesId(u32::from_be_bytes(*id)), u64::from_be_bytes(index.try_into().ok()?)))
}
