//! Protobuf by hand: to write messages, and to change them so that lengths stay true.

use quillwork_core::rng::Rng;

/// A number, seven bits to a byte.
pub(crate) fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = number.to_le_bytes()[0] & 0x7f;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// A field of a message, text or packed numbers.
pub(crate) fn field(tag: u64, content: &[u8]) -> Vec<u8> {
    [varint(tag << 3 | 2), varint(content.len() as u64), content.to_vec()].concat()
}

/// A field of a number.
pub(crate) fn number(tag: u64, value: u64) -> Vec<u8> {
    [varint(tag << 3), varint(value)].concat()
}

/// A field of eight bytes.
pub(crate) fn fixed(tag: u64, value: u64) -> Vec<u8> {
    [varint(tag << 3 | 1), value.to_le_bytes().to_vec()].concat()
}

/// A field as it stands in a message.
#[derive(Clone)]
enum Field {
    Number(u64, u64),
    Fixed(u64, [u8; 8]),
    Fixed4(u64, [u8; 4]),
    Bytes(u64, Vec<u8>),
}

/// The fields of a message, if these bytes are one.
fn fields(mut bytes: &[u8]) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = taken(&mut bytes)?;
        let tag = key >> 3;
        fields.push(match key & 7 {
            0 => Field::Number(tag, taken(&mut bytes)?),
            1 => Field::Fixed(tag, *take(&mut bytes, 8)?.first_chunk()?),
            2 => {
                let length = usize::try_from(taken(&mut bytes)?).ok()?;
                Field::Bytes(tag, take(&mut bytes, length)?.to_vec())
            }
            5 => Field::Fixed4(tag, *take(&mut bytes, 4)?.first_chunk()?),
            _ => return None,
        });
    }
    Some(fields)
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

fn taken(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = take(bytes, 1)?[0];
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn written(fields: &[Field]) -> Vec<u8> {
    let one = |one: &Field| match one {
        Field::Number(tag, value) => number(*tag, *value),
        Field::Fixed(tag, bytes) => fixed(*tag, u64::from_le_bytes(*bytes)),
        Field::Fixed4(tag, bytes) => [varint(tag << 3 | 5), bytes.to_vec()].concat(),
        Field::Bytes(tag, bytes) => field(*tag, bytes),
    };
    fields.iter().flat_map(one).collect()
}

const VALUES: [u64; 9] = [
    0,
    1,
    2,
    u64::MAX,
    i64::MAX.cast_unsigned(),
    i64::MIN.cast_unsigned(),
    f64::NAN.to_bits(),
    f64::INFINITY.to_bits(),
    f64::MAX.to_bits(),
];

/// Changes one field somewhere in a message, and the lengths of all around it. What is no message stays as it is.
pub(crate) fn message(rng: &mut Rng, bytes: &mut Vec<u8>) {
    let Some(mut fields) = fields(bytes) else { return };
    if fields.is_empty() {
        *bytes = number(1 + rng.below(12), VALUES[rng.index(VALUES.len())]);
        return;
    }
    let at = rng.index(fields.len());
    // Most changes are to happen far inside.
    if let Field::Bytes(_, inner) = &mut fields[at]
        && rng.chance(0.8)
    {
        message(rng, inner);
        *bytes = written(&fields);
        return;
    }
    match rng.below(6) {
        0 => drop(fields.remove(at)),
        1 => {
            let again = fields[at].clone();
            fields.extend(std::iter::repeat_n(again, 1 << rng.below(10)));
        }
        2 => {
            let (Field::Number(tag, _) | Field::Fixed(tag, _) | Field::Fixed4(tag, _) | Field::Bytes(tag, _)) =
                &mut fields[at];
            *tag = 1 + rng.below(12);
        }
        3 => fields[at] = Field::Bytes(1 + rng.below(12), written(&fields)),
        _ => {
            let edge = VALUES[rng.index(VALUES.len())];
            match &mut fields[at] {
                Field::Number(_, value) => *value = edge,
                Field::Fixed(_, bytes) => *bytes = edge.to_le_bytes(),
                Field::Fixed4(_, bytes) => *bytes = *edge.to_le_bytes().first_chunk().unwrap_or(&[0; 4]),
                Field::Bytes(_, bytes) => crate::mutate::bytes(rng, bytes, &[], &[]),
            }
        }
    }
    *bytes = written(&fields);
}
