//! A name of the service.

use std::net::IpAddr;
use std::str::FromStr;

use instant_acme::Identifier;
use rustls::pki_types::InvalidDnsNameError;
use rustls::pki_types::ServerName;

/// A DNS name, or an IP address (RFC 8738).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(ServerName<'static>);

impl Name {
    pub(crate) fn server_name(&self) -> &ServerName<'static> {
        &self.0
    }

    pub(crate) fn identifier(&self) -> Identifier {
        match &self.0 {
            ServerName::IpAddress(address) => Identifier::Ip((*address).into()),
            name => Identifier::Dns(name.to_str().into_owned()),
        }
    }

    /// The name in the ClientHello of its challenge: of an address the one of its reverse lookup, RFC 8738 §6.
    pub(crate) fn in_challenge(&self) -> String {
        match &self.0 {
            ServerName::IpAddress(address) => reverse((*address).into()),
            name => name.to_str().into_owned(),
        }
    }
}

impl FromStr for Name {
    type Err = InvalidDnsNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        ServerName::try_from(text.to_ascii_lowercase()).map(Self)
    }
}

impl From<&Name> for String {
    fn from(name: &Name) -> Self {
        name.0.to_str().into_owned()
    }
}

/// RFC 1035 §3.5, RFC 3596 §2.5.
fn reverse(address: IpAddr) -> String {
    let (digits, zone): (Vec<String>, _) = match address {
        IpAddr::V4(address) => {
            let bytes = address.octets();
            (bytes.iter().map(u8::to_string).collect(), "in-addr.arpa")
        }
        IpAddr::V6(address) => {
            let bytes = address.octets();
            let halves = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
            (halves.map(|half| format!("{half:x}")).collect(), "ip6.arpa")
        }
    };
    let mut labels: Vec<&str> = digits.iter().map(String::as_str).rev().collect();
    labels.push(zone);
    labels.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_challenged_under_the_name_of_its_reverse_lookup() {
        let in_challenge = |text: &str| text.parse::<Name>().unwrap().in_challenge();
        assert_eq!(in_challenge("192.0.2.1"), "1.2.0.192.in-addr.arpa");
        let digits = "1.0.0.0.".to_owned() + &"0.0.0.0.".repeat(5) + "8.b.d.0.1.0.0.2.";
        assert_eq!(in_challenge("2001:db8::1"), digits + "ip6.arpa");
        assert_eq!(in_challenge("Service.Example"), "service.example");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in ["", "a b", "*", "192.0.2.1:443", "https://a.example"] {
            assert!(text.parse::<Name>().is_err(), "{text}");
        }
    }
}
