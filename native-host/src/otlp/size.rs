//! How many messages a request holds, counted before any is made: one of two bytes becomes two hundred in memory.

use prost::DecodeError;
use prost::bytes::Buf as _;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

/// Messages of a request besides attributes: resources, scopes, metrics and their points. Far more than a megabyte of real ones.
pub(crate) const MOST_MESSAGES: usize = 1 << 15;
/// Objects of a request in JSON, attributes among them. A real one has some twenty bytes at least.
pub(crate) const MOST_OBJECTS: usize = 1 << 16;

/// Where messages are repeated, from the request inwards: resources, scopes, metrics, and by kind their points.
const LEVELS: [&[u32]; 5] = [&[1], &[2], &[2], &[5, 7, 9, 10, 11], &[1]];

/// Messages of a request in protobuf, as far as they are repeated in number.
///
/// # Errors
///
/// Where the bytes aren't protobuf.
pub(crate) fn messages(bytes: &[u8]) -> Result<usize, DecodeError> {
    count(bytes, &LEVELS)
}

fn count(mut bytes: &[u8], levels: &[&[u32]]) -> Result<usize, DecodeError> {
    let Some((tags, deeper)) = levels.split_first() else { return Ok(0) };
    let mut found = 0;
    while bytes.has_remaining() {
        let (tag, kind) = decode_key(&mut bytes)?;
        if kind != WireType::LengthDelimited || !tags.contains(&tag) {
            skip_field(kind, tag, &mut bytes, DecodeContext::default())?;
            continue;
        }
        let length = usize::try_from(decode_varint(&mut bytes)?).unwrap_or(usize::MAX);
        // A length that lies is found when the message is made.
        let (message, rest) = bytes.split_at(length.min(bytes.len()));
        bytes = rest;
        found += 1 + count(message, deeper)?;
    }
    Ok(found)
}

/// Objects of a request in JSON; braces in texts count as well.
pub(crate) fn objects(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'{').count()
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;
    use crate::otlp::message::{Gauge, Metric, NumberPoint, Request, ResourceMetrics, ScopeMetrics};

    #[test]
    fn what_is_repeated_is_counted_wherever_it_stands() {
        let gauge = Gauge { data_points: vec![NumberPoint::default(); 5] };
        let metric = Metric { name: "a".into(), gauge: Some(gauge), ..Metric::default() };
        let scope = ScopeMetrics { metrics: vec![metric; 3] };
        let resource = ResourceMetrics { resource: None, scope_metrics: vec![scope; 2] };
        let request = Request { resource_metrics: vec![resource] };
        let inside = 1 + 2 + 6 + 6 + 30;
        assert_eq!(messages(&request.encode_to_vec()), Ok(inside));
        assert!(messages(&[0xff; 40]).is_err());
    }
}
