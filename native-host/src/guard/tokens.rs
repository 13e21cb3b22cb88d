//! Several tokens, by name, and what each is good for.

use crate::config::{Config, Scope};

use super::token::{Token, TokenFileError};

/// All tokens. Where there is none, none is asked for.
#[derive(Clone, Debug, Default)]
pub struct Tokens(Vec<Named>);

#[derive(Clone, Debug)]
struct Named {
    name: String,
    token: Token,
    scopes: Vec<Scope>,
}

/// What somebody may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Granted {
    /// It, and by which token; none where none is asked for.
    Yes(Option<String>),
    /// The token is known and isn't good for it.
    OutOfScope {
        /// What the token is called.
        name: String,
    },
    /// No token, or none of these.
    No,
}

impl Tokens {
    /// Reads the files that the configuration names.
    ///
    /// # Errors
    ///
    /// If a file can't be read, is open to other users of the machine, or holds no token worth the name, or if two
    /// tokens are the same.
    pub fn from_config(config: &Config) -> Result<Self, TokenFileError> {
        let mut tokens = Self::default();
        if let Some(file) = &config.auth.token_file {
            tokens.0.push(Named {
                name: EVERYTHING.to_owned(),
                token: Token::from_file(file)?,
                scopes: vec![Scope::Admin],
            });
        }
        for (name, settings) in &config.tokens {
            let Some(file) = &settings.file else { continue };
            let token = Token::from_file(file)?;
            if let Some(same) = tokens.0.iter().find(|known| known.token.matches_token(&token)) {
                return Err(TokenFileError::Twice { one: same.name.clone(), other: name.clone() });
            }
            tokens.0.push(Named { name: name.clone(), token, scopes: settings.scopes.clone() });
        }
        Ok(tokens)
    }

    /// One token that is good for everything.
    #[must_use]
    pub fn single(token: Token) -> Self {
        Self(vec![Named { name: EVERYTHING.to_owned(), token, scopes: vec![Scope::Admin] }])
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether who shows `given` may do what `scope` names. All tokens are compared, whichever matches.
    pub(crate) fn grants(&self, given: Option<&str>, scope: Scope) -> Granted {
        if self.0.is_empty() {
            return Granted::Yes(None);
        }
        let Some(given) = given else { return Granted::No };
        let mut found = None;
        for known in &self.0 {
            if known.token.matches(given) {
                found = Some(known);
            }
        }
        match found {
            None => Granted::No,
            Some(known) if known.scopes.iter().any(|granted| includes(*granted, scope)) => {
                Granted::Yes(Some(known.name.clone()))
            }
            Some(known) => Granted::OutOfScope { name: known.name.clone() },
        }
    }
}

/// What the token of `auth.token_file` is called.
const EVERYTHING: &str = "token_file";

/// Who administers may do everything.
fn includes(granted: Scope, asked: Scope) -> bool {
    granted == asked || granted == Scope::Admin
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, text: &str, scopes: &[Scope]) -> Named {
        Named { name: name.to_owned(), token: Token::of(text), scopes: scopes.to_vec() }
    }

    #[test]
    fn a_token_is_good_for_its_scopes_only() {
        let tokens = Tokens(vec![
            named("wall", "a", &[Scope::Read]),
            named("page", "b", &[Scope::Ingest]),
            named("ops", "c", &[Scope::Admin]),
        ]);
        let may = |given, scope| matches!(tokens.grants(Some(given), scope), Granted::Yes(_));
        let table = [
            ("a", [true, false, false]),
            ("b", [false, true, false]),
            ("c", [true, true, true]),
            ("d", [false; 3]),
        ];
        for (given, expected) in table {
            assert_eq!(
                [Scope::Read, Scope::Ingest, Scope::Admin].map(|scope| may(given, scope)),
                expected,
                "{given}"
            );
        }
        assert_eq!(tokens.grants(Some("a"), Scope::Admin), Granted::OutOfScope { name: "wall".to_owned() });
        assert_eq!(tokens.grants(None, Scope::Read), Granted::No);
        assert_eq!(Tokens::default().grants(None, Scope::Admin), Granted::Yes(None));
    }
}
