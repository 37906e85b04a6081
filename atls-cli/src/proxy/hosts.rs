//! The names under which a forward proxy answers.

use http::HeaderValue;
use http::Request;
use http::uri::Authority;

/// A page of a browser on this machine may have a name that resolves to 127.0.0.1 (DNS rebinding). Its requests would go out attested,
/// and their answers would be the page's. They have the name in `Host`, so other names than these are refused.
pub(super) struct Hosts(Vec<String>);

impl Hosts {
    /// The names of this machine, that of the target, and further ones.
    pub(super) fn new(target: Option<&str>, further: &[String]) -> Self {
        let own = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned);
        let all = own.into_iter().chain(target.map(str::to_owned));
        let all = all.chain(further.iter().cloned());
        Self(all.map(|name| name.to_ascii_lowercase()).collect())
    }

    /// Tells whether the request names one of them, on any port.
    pub(super) fn know<B>(&self, request: &Request<B>, host: Option<&HeaderValue>) -> bool {
        let of_uri = request.uri().authority().cloned();
        let named = of_uri.or_else(|| host.and_then(authority));
        let Some(named) = named else {
            return false;
        };
        let name = named.host().to_ascii_lowercase();
        self.0.contains(&name)
    }
}

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
            let host = HeaderValue::from_str(host).unwrap();
            hosts.know(&Request::new(()), Some(&host))
        };
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1:1",
            "[::1]:8080",
            "service.example",
            "local.name:80",
        ] {
            assert!(known(host), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.nip.io",
            "",
            "a b",
            "user@localhost.evil",
        ] {
            assert!(!known(host), "{host}");
        }
        assert!(!hosts.know(&Request::new(()), None));
    }

    #[test]
    fn the_address_of_a_request_counts_more_than_its_header() {
        let hosts = Hosts::new(None, &[]);
        let request = Request::get("http://evil.example/").body(()).unwrap();
        let host = HeaderValue::from_static("localhost");
        assert!(!hosts.know(&request, Some(&host)));
    }
}
