//! Names under which the host answers.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use super::Rules;

/// The accepted values of the Host header: of a host that listens on `address`, the names that the operator gave it, and
/// the hosts of accepted origins.
///
/// DNS rebinding makes a foreign *name* point to this machine, so an address can never be rebound: where the host
/// listens on all interfaces every address literal is accepted, but still no foreign name.
#[derive(Clone, Debug)]
pub(super) struct AllowedHosts<'a> {
    pub(super) address: SocketAddr,
    pub(super) encrypted: bool,
    pub(super) rules: &'a Rules,
}

impl AllowedHosts<'_> {
    /// Whether `authority` (`host` or `host:port`) is one of them.
    pub(super) fn accepts(&self, authority: &str) -> bool {
        if self.rules.origins.iter().any(|known| known.authority().eq_ignore_ascii_case(authority)) {
            return true;
        }
        let Some((host, port)) = split(authority, self.encrypted) else { return false };
        if self.rules.names.iter().any(|name| name.is(host)) {
            return true;
        }
        if port != self.address.port() {
            return false;
        }
        if host.eq_ignore_ascii_case("localhost") {
            return true;
        }
        let Ok(address) = host.parse::<IpAddr>() else { return false };
        let bound = self.address.ip();
        bound.is_unspecified() || address == bound || address.is_loopback() && is_plain_loopback(address)
    }
}

impl fmt::Display for AllowedHosts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.address.port();
        write!(f, "localhost:{port}, 127.0.0.1:{port} or [::1]:{port}")?;
        if self.address.ip().is_unspecified() {
            write!(f, " or an address of this machine")?;
        } else if !self.address.ip().is_loopback() {
            write!(f, " or {}", self.address)?;
        }
        for name in &self.rules.names {
            write!(f, " or {name}")?;
        }
        Ok(())
    }
}

/// A name of this host, without a port: whoever reaches it under this name on some port may ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName(String);

impl HostName {
    fn is(&self, host: &str) -> bool {
        self.0.eq_ignore_ascii_case(host)
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for HostName {
    type Err = InvalidHostName;

    fn from_str(text: &str) -> Result<Self, InvalidHostName> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let labels = || text.split('.');
        let is_name = text.len() <= LONGEST_NAME
            && labels()
                .all(|label| !label.is_empty() && label.len() <= LONGEST_LABEL && label.bytes().all(plain));
        if is_name { Ok(Self(text.to_owned())) } else { Err(InvalidHostName(text.to_owned())) }
    }
}

/// Bytes of a name and of each of its parts (RFC 1035 section 2.3.4).
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;

/// A text that is no name of a host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no name of a host; write it without scheme and port, for instance \"studio.example\"")]
pub struct InvalidHostName(String);

fn is_plain_loopback(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address == std::net::Ipv4Addr::LOCALHOST,
        IpAddr::V6(address) => address == Ipv6Addr::LOCALHOST,
    }
}

/// Host without brackets, and port; the scheme's own where none is named.
fn split(authority: &str, encrypted: bool) -> Option<(&str, u16)> {
    let default = if encrypted { 443 } else { 80 };
    if authority.contains('@') {
        return None;
    }
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        let port = match rest.strip_prefix(':') {
            Some(port) => port_number(port)?,
            None if rest.is_empty() => default,
            None => return None,
        };
        return Some((host, port));
    }
    match authority.split_once(':') {
        Some((host, port)) => Some((host, port_number(port)?)),
        None => Some((authority, default)),
    }
}

/// Digits only: `parse` would let a sign through.
fn port_number(text: &str) -> Option<u16> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        let origins = vec!["http://studio.example:9470".parse().unwrap()];
        Rules { origins, names: vec!["quill.example".parse().unwrap()], ..Rules::default() }
    }

    fn hosts<'a>(address: &str, rules: &'a Rules) -> AllowedHosts<'a> {
        AllowedHosts { address: address.parse().unwrap(), encrypted: false, rules }
    }

    #[test]
    fn own_names_only() {
        let rules = rules();
        let hosts = hosts("127.0.0.1:9470", &rules);
        for own in ["localhost:9470", "LocalHost:9470", "127.0.0.1:9470", "[::1]:9470", "studio.example:9470"]
        {
            assert!(hosts.accepts(own), "{own}");
        }
        for foreign in [
            "evil.example:9470",
            "localhost",
            "localhost:80",
            "127.0.0.1:9471",
            "localhost.evil.example:9470",
            "127.0.0.1.evil.example:9470",
            "192.168.1.7:9470",
            "user@localhost:9470",
            "[::1",
            "[::1]9470",
            "localhost:",
            "localhost:+9470",
            "[::1]:+9470",
            "127.0.0.%31:9470",
            "127.0.0.1%3a9470",
            "localhost:9470, localhost:9470",
            "",
        ] {
            assert!(!hosts.accepts(foreign), "{foreign}");
        }
    }

    #[test]
    fn listening_everywhere_accepts_addresses_but_no_names() {
        let rules = rules();
        let hosts = hosts("0.0.0.0:9470", &rules);
        assert!(hosts.accepts("192.168.1.7:9470"));
        assert!(hosts.accepts("[fe80::1]:9470"));
        assert!(!hosts.accepts("evil.example:9470"));
    }

    #[test]
    fn port_80_may_be_left_out() {
        let rules = rules();
        assert!(hosts("127.0.0.1:80", &rules).accepts("localhost"));
        let encrypted = AllowedHosts { encrypted: true, ..hosts("127.0.0.1:443", &rules) };
        assert!(encrypted.accepts("localhost") && !encrypted.accepts("localhost:80"));
    }

    #[test]
    fn a_name_given_to_the_host_is_accepted_on_any_port_and_nothing_else_is() {
        let rules = rules();
        let hosts = hosts("127.0.0.1:9470", &rules);
        for own in ["quill.example", "Quill.Example:443", "quill.example:9470"] {
            assert!(hosts.accepts(own), "{own}");
        }
        for foreign in ["a.quill.example", "quill.example.evil.example", "quill.example@evil.example"] {
            assert!(!hosts.accepts(foreign), "{foreign}");
        }
        for wrong in ["", "a:80", "http://a", "a..b", "*.example", "a b", "a/b"] {
            assert!(wrong.parse::<HostName>().is_err(), "{wrong}");
        }
    }
}
