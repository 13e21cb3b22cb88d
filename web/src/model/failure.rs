//! What went wrong between this page and the host's API, and what to do about it.

use quillwork_protocol::problem::Problem;

use super::json;

/// A request that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nothing came back: the host is away, or was too slow.
    NoAnswer {
        /// What the browser says.
        why: String,
    },
    /// The host said no.
    Refused {
        /// HTTP status.
        status: u16,
        /// What the host says to do; empty where it said nothing that can be read.
        detail: String,
    },
    /// The answer is not what this page expects.
    Unreadable {
        /// What is wrong with it.
        why: String,
    },
}

impl Failure {
    /// From a status that is no success and its body, a problem document where all is well.
    pub fn of_answer(status: u16, body: &str) -> Self {
        let problem: Option<Problem> = json::read(body).ok();
        Self::Refused { status, detail: problem.map_or_else(String::new, |problem| problem.detail) }
    }

    /// Whether another token may help.
    pub fn asks_for_token(&self) -> bool {
        matches!(self, Self::Refused { status: 401 | 403, .. })
    }

    /// One or two sentences: what happened, and what to do.
    pub fn words(&self) -> String {
        match self {
            Self::NoAnswer { why } => {
                format!("The host did not answer ({}). Try again once it is live.", bare(why))
            }
            Self::Unreadable { why } => format!(
                "The host's answer can't be read ({}). Reload the page; it may be older than the host.",
                bare(why)
            ),
            Self::Refused { status: 401, detail } => {
                with_detail("This needs a token, or another than this tab's.", detail)
            }
            Self::Refused { status: 403, detail } => {
                with_detail("This tab's token may only look. Changes need one with the scope admin.", detail)
            }
            Self::Refused { status: 429, detail } => {
                with_detail("The host was asked too often. Wait a moment and try again.", detail)
            }
            Self::Refused { status, detail } if detail.is_empty() => {
                format!("The host refused with status {status}. Its log says why.")
            }
            Self::Refused { detail, .. } => sentence(detail),
        }
    }
}

fn with_detail(first: &str, detail: &str) -> String {
    if detail.is_empty() { first.to_owned() } else { format!("{first} The host says: {}.", bare(detail)) }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map_or_else(String::new, |first| first.to_uppercase().collect());
    format!("{first}{}.", bare(letters.as_str()))
}

fn bare(text: &str) -> &str {
    text.trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, detail: &str) -> Failure {
        let body =
            format!(r#"{{"type":"/problems/x","title":"X","status":{status},"detail":"{detail}","more":1}}"#);
        Failure::of_answer(status, &body)
    }

    #[test]
    fn a_token_that_may_only_look_is_told_so() {
        let failure = refused(403, "the token wall isn't good for this");
        assert!(failure.asks_for_token());
        assert_eq!(
            failure.words(),
            "This tab's token may only look. Changes need one with the scope admin. The host says: the token wall isn't good for this."
        );
        assert!(!refused(422, "say who asks for the silence").asks_for_token());
    }

    #[test]
    fn says_what_the_host_says_to_do() {
        assert_eq!(refused(422, "say who asks for the silence").words(), "Say who asks for the silence.");
        assert_eq!(
            Failure::of_answer(502, "<html>proxy</html>").words(),
            "The host refused with status 502. Its log says why."
        );
        let away = Failure::NoAnswer { why: "Failed to fetch".into() };
        assert_eq!(away.words(), "The host did not answer (Failed to fetch). Try again once it is live.");
    }
}
