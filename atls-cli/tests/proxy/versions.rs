//! What a request has in one version of HTTP, said in another.

use axum::Router;
use http_body_util::BodyExt;
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;

use crate::kit::attested;
use crate::kit::echo;
use crate::kit::forward;
use crate::kit::reverse;
use crate::kit::sent;
use crate::kit::sent_attested;
use crate::support::World;

/// HTTP takes a request of these methods for one without a body, where nothing says its length.
#[test]
fn a_body_without_length_passes_with_every_method() {
    let world = World::new();
    let behind = world.plain(Router::new().fallback(async |body: Bytes| body));
    for upstream in [format!("http://{behind}"), format!("h2c://{behind}")] {
        let back = reverse(&world, &upstream, &[]);
        let front = forward(&world, &back);
        for length in [
            "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            "Connection: content-length\r\nContent-Length: 5\r\n\r\nhello",
        ] {
            for method in ["GET", "DELETE", "POST"] {
                let request = format!(
                    "{method} / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{length}"
                );
                for told in [
                    world.block_on(sent(front.address(), request.as_bytes())),
                    sent_attested(&world, &back, request.as_bytes()),
                ] {
                    assert!(told.contains("hello"), "{upstream} {request}: {told}");
                }
            }
        }
    }
}

/// RFC 9113 §8.2.3: HTTP/2 splits cookies, and other versions have them in one header.
#[test]
fn cookies_that_http2_splits_are_one_header_for_the_service() {
    let world = World::new();
    let behind = world.plain(echo());
    let proxy = reverse(&world, &format!("http://{behind}"), &[]);
    let told = world.block_on(async {
        let io = TokioIo::new(attested(&world, &proxy, "h2").await);
        let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), io);
        let (mut sender, driver) = handshake.await.unwrap();
        tokio::spawn(driver);
        let request = hyper::Request::get("https://localhost/")
            .header("cookie", "a=1")
            .header("cookie", "b=2")
            .body(Empty::<Bytes>::new())
            .unwrap();
        let answer = sender.send_request(request).await.unwrap();
        answer.into_body().collect().await.unwrap().to_bytes()
    });
    let told = String::from_utf8(told.to_vec()).unwrap();
    assert!(told.contains("cookie: a=1; b=2\n"), "{told}");
    assert_eq!(told.matches("cookie").count(), 1, "{told}");
}
