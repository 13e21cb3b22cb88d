//! The token in the fragment of an address. A fragment is never sent to a server; still it is taken out of the
//! address at once, so that it is not copied along with a link.

/// Splits `#token=…` off a fragment: the token, and the fragment that is left (empty, or from `#` on).
pub fn take(fragment: &str) -> (Option<String>, String) {
    let mut token = None;
    let rest: Vec<&str> = fragment
        .trim_start_matches('#')
        .split('&')
        .filter(|part| match part.strip_prefix("token=") {
            Some(value) => {
                token = Some(value.to_owned()).filter(|value| !value.is_empty());
                false
            }
            None => !part.is_empty(),
        })
        .collect();
    let rest = if rest.is_empty() { String::new() } else { format!("#{}", rest.join("&")) };
    (token, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_token_and_leaves_the_rest() {
        assert_eq!(take("#token=s3cret"), (Some("s3cret".into()), String::new()));
        assert_eq!(take("#pages&token=a=b"), (Some("a=b".into()), "#pages".into()));
        assert_eq!(take("#pages"), (None, "#pages".into()));
        assert_eq!(take("#token="), (None, String::new()));
        assert_eq!(take(""), (None, String::new()));
    }
}
