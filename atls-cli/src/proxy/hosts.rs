//! The hosts that requests name, and those under which a forward proxy answers.

use std::net::IpAddr;

use http::HeaderValue;
use http::Request;
use http::Version;
use http::header;
use http::uri::Authority;

/// A page of a browser on this machine may have a name that resolves to 127.0.0.1 (DNS rebinding). Its requests would go out attested,
/// and their answers would be the page's. They have the name in `Host`, so other names than these are refused.
pub(super) struct Hosts(Vec<String>);

impl Hosts {
    /// The names of this machine, that of the target, and further ones.
    pub(super) fn new(target: Option<&str>, further: &[String]) -> Self {
        let all = ["localhost"].into_iter().chain(target).map(str::to_owned);
        let all = all.chain(further.iter().cloned());
        Self(all.map(|name| name.to_ascii_lowercase()).collect())
    }

    /// Tells whether this is one of them or an address of loopback, on any port.
    pub(super) fn know(&self, named: &Authority) -> bool {
        let name = named.host().to_ascii_lowercase();
        let address: Option<IpAddr> = name.trim_matches(['[', ']']).parse().ok();
        // No other machine can have such an address, by whatever name.
        let is_loopback = address.is_some_and(|it| it.to_canonical().is_loopback());
        is_loopback || self.0.contains(&name)
    }
}

/// The host that a request names, as RFC 9112 §3.2 has it: the one of its address counts more than that of its header.
///
/// # Errors
/// [`BadHost`]
pub(super) fn named<B>(request: &Request<B>) -> Result<Option<Authority>, BadHost> {
    let headers: Vec<_> = request.headers().get_all(header::HOST).iter().collect();
    let of_address = request.uri().authority().cloned();
    let named = match (&headers[..], of_address) {
        // HTTP/1.0 needs none, HTTP/2 has it in the address.
        ([], None) if request.version() == Version::HTTP_11 => return Err(BadHost),
        ([], named) | ([_], named @ Some(_)) => named,
        ([host], None) if host.is_empty() => None,
        ([host], None) => Some(authority(host).ok_or(BadHost)?),
        _ => return Err(BadHost),
    };
    match &named {
        Some(named) if named.as_str().contains('@') => Err(BadHost),
        _ => Ok(named),
    }
}

/// A request names several hosts, or none where it must, or one that is no name: whoever reads it next may take it for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadHost;

fn authority(host: &HeaderValue) -> Option<Authority> {
    host.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_names_are_known_on_any_port_and_no_other() {
        let hosts = Hosts::new(Some("service.example"), &["Local.Name".to_owned()]);
        let known = |host: &str| {
            let request = Request::get("/").header("host", host).body(()).unwrap();
            let named = named(&request).ok().flatten();
            named.is_some_and(|named| hosts.know(&named))
        };
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1:1",
            "[::1]:8080",
            "127.0.0.2",
            "[::ffff:127.0.0.1]:80",
            "service.example",
            "local.name:80",
        ] {
            assert!(known(host), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.nip.io",
            "10.0.0.1",
            "0.0.0.0",
            "[::]:80",
            "2130706433",
            "127.1",
            "",
            "a b",
            "user@localhost.evil",
            "localhost@localhost",
        ] {
            assert!(!known(host), "{host}");
        }
    }

    #[test]
    fn the_address_of_a_request_counts_more_than_its_header() {
        let request = Request::get("http://evil.example/").header("host", "localhost");
        let named = named(&request.body(()).unwrap());
        assert_eq!(named, Ok(Some(Authority::from_static("evil.example"))));
    }

    #[test]
    fn a_request_of_http_1_1_names_one_host() {
        let request = |version, hosts: &[&str]| {
            let request = Request::get("/").version(version);
            let add = |request: http::request::Builder, host: &&str| request.header("host", *host);
            named(&hosts.iter().fold(request, add).body(()).unwrap())
        };
        let one = Ok(Some(Authority::from_static("a")));
        assert_eq!(request(Version::HTTP_11, &["a"]), one);
        assert_eq!(request(Version::HTTP_10, &[]), Ok(None));
        assert_eq!(request(Version::HTTP_11, &[""]), Ok(None));
        for hosts in [&[][..], &["a", "a"], &["a/b"], &["a b"], &["b@a"]] {
            assert_eq!(request(Version::HTTP_11, hosts), Err(BadHost), "{hosts:?}");
        }
    }
}
