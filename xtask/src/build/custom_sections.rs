//! Removes custom sections from a WebAssembly module: names and notes of tools, which no engine needs.

use anyhow::{Context, Result, bail};

const PREAMBLE: &[u8; 8] = b"\0asm\x01\0\0\0";
const CUSTOM: u8 = 0;

/// `module` without the custom sections of these names.
///
/// # Errors
///
/// When `module` is cut off or no WebAssembly module at all.
pub(super) fn without(module: &[u8], names: &[&str]) -> Result<Vec<u8>> {
    let Some(mut rest) = module.strip_prefix(PREAMBLE) else {
        bail!("it does not begin as one");
    };
    let mut kept = PREAMBLE.to_vec();
    while let Some((&id, after_id)) = rest.split_first() {
        let (length, content) = leb128(after_id)?;
        let (content, next) = content.split_at_checked(length).context("its last section is cut off")?;
        let section = &rest[..rest.len() - next.len()];
        if id != CUSTOM || !names.contains(&name(content)?) {
            kept.extend_from_slice(section);
        }
        rest = next;
    }
    Ok(kept)
}

fn name(content: &[u8]) -> Result<&str> {
    let (length, content) = leb128(content)?;
    let name = content.get(..length).context("the name of a section is cut off")?;
    std::str::from_utf8(name).context("the name of a section is no text")
}

/// An unsigned 32-bit number in LEB128, and what follows it.
fn leb128(mut bytes: &[u8]) -> Result<(usize, &[u8])> {
    let mut value = 0_usize;
    for shift in (0..35).step_by(7) {
        let (&byte, rest) = bytes.split_first().context("it ends within a number")?;
        bytes = rest;
        value |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok((value, bytes));
        }
    }
    bail!("it holds a number of more than 32 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(id: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).expect("the tests' sections are short");
        // A number may be padded; 0x80 says that it goes on.
        [&[id, length | 0x80, 0], content].concat()
    }

    #[test]
    fn only_the_named_custom_sections_go() {
        let kept = section(CUSTOM, b"\x04keptdata");
        let code = section(10, b"\x00");
        let module = [&PREAMBLE[..], &section(CUSTOM, b"\x04namedata"), &kept, &code].concat();
        assert_eq!(without(&module, &["name"]).unwrap(), [&PREAMBLE[..], &kept, &code].concat());
    }

    #[test]
    fn anything_else_is_refused() {
        assert!(without(b"<!doctype html>", &[]).is_err());
        let module = [&PREAMBLE[..], &section(10, b"abc")].concat();
        assert!(without(&module[..module.len() - 1], &[]).is_err());
    }
}
