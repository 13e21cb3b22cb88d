//! Names under which the host answers.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use super::origin::Origin;

/// The accepted values of the Host header.
///
/// DNS rebinding makes a foreign *name* point to this machine, so an address can never be rebound: where the host
/// listens on all interfaces every address literal is accepted, but still no foreign name.
#[derive(Clone, Debug)]
pub struct AllowedHosts {
    address: SocketAddr,
    authorities: Vec<String>,
}

impl AllowedHosts {
    /// Names of a host that listens on `address`; the hosts of accepted origins are trusted as names too.
    #[must_use]
    pub fn new(address: SocketAddr, origins: &[Origin]) -> Self {
        let authorities = origins.iter().map(|origin| origin.authority().to_owned()).collect();
        Self { address, authorities }
    }

    /// Whether `authority` (`host` or `host:port`) is one of them.
    #[must_use]
    pub fn accepts(&self, authority: &str) -> bool {
        if self.authorities.iter().any(|known| known.eq_ignore_ascii_case(authority)) {
            return true;
        }
        let Some((host, port)) = split(authority) else { return false };
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

impl fmt::Display for AllowedHosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = self.address.port();
        write!(f, "localhost:{port}, 127.0.0.1:{port} or [::1]:{port}")?;
        if self.address.ip().is_unspecified() {
            write!(f, " or an address of this machine")?;
        } else if !self.address.ip().is_loopback() {
            write!(f, " or {}", self.address)?;
        }
        Ok(())
    }
}

fn is_plain_loopback(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address == std::net::Ipv4Addr::LOCALHOST,
        IpAddr::V6(address) => address == Ipv6Addr::LOCALHOST,
    }
}

/// Host without brackets, and port; the port of plain HTTP where none is named.
fn split(authority: &str) -> Option<(&str, u16)> {
    const HTTP: u16 = 80;
    if authority.contains('@') {
        return None;
    }
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        let port = match rest.strip_prefix(':') {
            Some(port) => port_number(port)?,
            None if rest.is_empty() => HTTP,
            None => return None,
        };
        return Some((host, port));
    }
    match authority.split_once(':') {
        Some((host, port)) => Some((host, port_number(port)?)),
        None => Some((authority, HTTP)),
    }
}

/// Digits only: `parse` would let a sign through.
fn port_number(text: &str) -> Option<u16> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(address: &str) -> AllowedHosts {
        let origins = ["http://studio.example:9470".parse().unwrap()];
        AllowedHosts::new(address.parse().unwrap(), &origins)
    }

    #[test]
    fn own_names_only() {
        let hosts = hosts("127.0.0.1:9470");
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
        let hosts = hosts("0.0.0.0:9470");
        assert!(hosts.accepts("192.168.1.7:9470"));
        assert!(hosts.accepts("[fe80::1]:9470"));
        assert!(!hosts.accepts("evil.example:9470"));
    }

    #[test]
    fn port_80_may_be_left_out() {
        assert!(hosts("127.0.0.1:80").accepts("localhost"));
    }
}
