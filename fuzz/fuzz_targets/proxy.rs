//! Any bytes of a client to `atls proxy`, and any of the service behind it. The service can take nothing for the proxy's word that is not, finds
//! no request in another, and one host in each; what is of one hop ends at the proxy, on both ways.
#![no_main]
#![allow(dead_code, reason = "the proxy uses more of it")]

use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use atls_fuzz::http1;
use atls_fuzz::http1::Request;
use atls_fuzz::tape::Tape;
use atls_fuzz::upstream::Upstream;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;

#[path = "../../atls-cli/src/clock.rs"]
mod clock;

#[path = "../../atls-cli/src/failure.rs"]
mod failure;

#[path = "../../atls-cli/src/proxy"]
mod proxy {
    mod headers;
    mod hosts;
    mod relay;
    mod tunnels;
    mod until;
    mod upstream;

    use std::convert::Infallible;
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use atls_fuzz::upstream::Upstream;
    use axum::body::Body;
    use http::HeaderMap;
    use http::Method;
    use http::Request;
    use http::Response;
    use http::header;
    use hyper::server::conn::http1;
    use hyper::service::service_fn;
    use hyper_util::client::legacy::Client;
    use hyper_util::rt::TokioExecutor;
    use hyper_util::rt::TokioIo;
    use tokio::io::DuplexStream;

    /// It counts upgrades for an operator.
    mod metrics {
        use std::sync::Arc;

        pub(super) struct Metrics;

        /// One that goes on.
        pub(super) struct Upgraded;

        impl Metrics {
            pub(super) fn upgraded(self: &Arc<Self>) -> Upgraded {
                Upgraded
            }
        }
    }

    /// Serves a connection as the reverse proxy does, to a client that did not attest. The number of requests that were handed on.
    pub(crate) async fn serve(io: DuplexStream, upstream: Upstream, handed_on: &AtomicUsize) {
        let (stop, stopped) = tunnels::Stop::new();
        let (tunnels, _all) = tunnels::Tunnels::new(stopped, Duration::from_secs(1));
        let client = Client::builder(TokioExecutor::new()).build(upstream);
        let metrics = Arc::new(metrics::Metrics);
        let service = service_fn(|request: Request<hyper::body::Incoming>| {
            let (client, tunnels, metrics) = (client.clone(), tunnels.clone(), metrics.clone());
            async move {
                let answer = answer(
                    client,
                    &tunnels,
                    &metrics,
                    request.map(Body::new),
                    handed_on,
                )
                .await;
                Ok::<_, Infallible>(answer)
            }
        });
        let connection = http1::Builder::new().serve_connection(TokioIo::new(io), service);
        let _ = connection.with_upgrades().await;
        drop(stop);
    }

    /// In the order of `proxy/reverse.rs`.
    async fn answer(
        client: Client<Upstream, Body>,
        tunnels: &tunnels::Tunnels,
        metrics: &Arc<metrics::Metrics>,
        mut request: Request<Body>,
        handed_on: &AtomicUsize,
    ) -> Response<Body> {
        if request.method() == Method::CONNECT {
            return relay::no_tunnel();
        }
        let mut set = HeaderMap::new();
        headers::claim(&mut set, None);
        if relay::forwarded(&mut request, &mut set).is_err() {
            return relay::bad_host();
        }
        headers::remove_claims(request.headers_mut());
        let place: upstream::Upstream = "http://upstream.invalid:80".parse().expect("an address");
        place.name(request.headers_mut(), &mut set);
        let passing = relay::Passing {
            to: place.uri(request.uri().path_and_query()),
            set,
            tunnels,
            metrics,
        };
        handed_on.fetch_add(1, Ordering::Relaxed);
        match relay::relay(client, request, passing).await {
            Ok(mut response) => {
                headers::remove_claims(response.headers_mut());
                check(&response);
                response
            }
            Err(_) => relay::bad_host(),
        }
    }

    fn check(response: &Response<Body>) {
        let is_upgrade = response.headers().contains_key(header::UPGRADE);
        for (name, value) in response.headers() {
            assert!(!super::as_variable(name.as_str()).starts_with("ATLS_"));
            match name.as_str() {
                "connection" => assert!(is_upgrade && value == "upgrade"),
                "upgrade" => assert!(value.as_bytes().eq_ignore_ascii_case(b"websocket")),
                "keep-alive" | "proxy-authenticate" | "proxy-connection" | "trailer"
                | "transfer-encoding" => {
                    panic!("{name} is of one hop")
                }
                _ => {}
            }
        }
    }
}

atls_fuzz::target!(|bytes: &[u8]| {
    let mut tape = Tape::new(bytes);
    let (requests, answer) = (tape.bytes(), tape.rest());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.expect("a runtime").block_on(run(requests, answer));
});

async fn run(requests: &[u8], answer: &[u8]) {
    let upstream = Upstream::answering(answer);
    let handed_on = AtomicUsize::new(0);
    let (mut near, far) = tokio::io::duplex(64 * 1024);
    let serving = proxy::serve(far, upstream.clone(), &handed_on);
    let asking = async {
        let _ = near.write_all(requests).await;
        let _ = near.read_to_end(&mut Vec::new()).await;
    };
    // A client that asks no more is waited for.
    let both = async { tokio::join!(serving, asking) };
    let _ = tokio::time::timeout(Duration::from_secs(3600), both).await;
    let sent = upstream.sent();
    let found: Vec<_> = sent.iter().flat_map(|sent| http1::requests(sent)).collect();
    let handed_on = handed_on.into_inner();
    assert!(
        found.len() <= handed_on,
        "{found:#?} of {handed_on} requests"
    );
    found.iter().for_each(check);
}

fn check(request: &Request) {
    let host = request.all("host");
    assert!(host.len() == 1 && !host[0].contains('@'), "{request:#?}");
    let is_upgrade = request.is_upgrade();
    for (name, value) in &request.headers {
        let variable = as_variable(name);
        match name.as_str() {
            "atls-status" => assert_eq!(value, "none"),
            "x-forwarded-proto" => assert_eq!(value, "https"),
            "x-forwarded-host" => assert_eq!(value, host[0]),
            "connection" => assert!(is_upgrade && value == "upgrade", "{request:#?}"),
            "te" => assert_eq!(value, "trailers"),
            "upgrade" => assert!(value.eq_ignore_ascii_case("websocket"), "{request:#?}"),
            _ => assert!(
                !is_word(&variable) && !IS_OF_ONE_HOP.contains(&name.as_str()),
                "{request:#?}"
            ),
        }
    }
    for word in ["atls-status", "x-forwarded-proto"] {
        assert_eq!(request.all(word).len(), 1, "{request:#?}");
    }
    for (name, _) in &request.trailers {
        assert!(!is_word(&as_variable(name)), "{request:#?}");
    }
}

/// The proxy alone says this.
fn is_word(variable: &str) -> bool {
    variable.starts_with("ATLS_")
        || variable.starts_with("X_FORWARDED_")
        || ["FORWARDED", "X_REAL_IP"].contains(&variable)
}

/// The name of a header as CGI has it, and programs after it.
fn as_variable(name: &str) -> String {
    let sign = |sign: char| match sign.is_ascii_alphanumeric() {
        true => sign.to_ascii_uppercase(),
        false => '_',
    };
    name.chars().map(sign).collect()
}

const IS_OF_ONE_HOP: [&str; 5] = [
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "trailer",
    "proxy-authenticate",
];
