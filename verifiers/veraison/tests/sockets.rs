//! Over real sockets: answers that a connection cuts, extends or redirects.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::Arc;

use atls_remote::Endpoint;
use atls_remote::ReqwestClient;
use atls_remote::reqwest;
use atls_veraison::VeraisonService;
use http::Request;
use http::Response;
use support::Fake;
use support::Step;
use support::request_step;
use tokio::io::AsyncBufReadExt;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::io::BufReader;
use tokio::net::TcpListener;
use tokio::net::TcpSocket;
use tokio::net::TcpStream;

/// The fate of an answer on its way.
#[derive(Clone, Copy)]
enum Way {
    Whole,
    /// Only its first bytes, then the connection is closed.
    Cut(Step, usize),
    /// Blanks after its body without end.
    Endless(Step),
}

async fn serve(fake: Fake, way: Way) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(connection(stream, fake.clone(), way));
        }
    });
    url
}

/// One request per connection is plenty.
async fn connection(stream: TcpStream, fake: Fake, way: Way) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let request = receive(&mut stream).await?;
    let step = request_step(&request);
    let answer = fake.handle(&request);
    match way {
        Way::Cut(cut, length) if cut == step => {
            let bytes = render(&answer, answer.body().len());
            stream.write_all(&bytes[..length.min(bytes.len())]).await?;
        }
        Way::Endless(endless) if endless == step => {
            stream.write_all(&render(&answer, usize::MAX >> 1)).await?;
            while stream.write_all(&[b' '; 4096]).await.is_ok() {}
        }
        _ => {
            stream
                .write_all(&render(&answer, answer.body().len()))
                .await?
        }
    }
    stream.flush().await
}

async fn receive(stream: &mut BufReader<TcpStream>) -> std::io::Result<Request<Vec<u8>>> {
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let mut words = line.split(' ');
    let mut request = Request::builder()
        .method(words.next().unwrap())
        .uri(words.next().unwrap());
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim().split_once(": ") else {
            break;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().unwrap();
        }
        request = request.header(name, value);
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(request.body(body).unwrap())
}

fn render(answer: &Response<Vec<u8>>, length: usize) -> Vec<u8> {
    let mut head = format!(
        "HTTP/1.1 {} Ok\r\nconnection: close\r\ncontent-length: {length}\r\n",
        answer.status().as_u16()
    );
    for (name, value) in answer.headers() {
        head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
    }
    [head.as_bytes(), b"\r\n", answer.body()].concat()
}

/// The word of the failure, if there is one.
async fn submit(url: &str) -> Result<(), &'static str> {
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(support::provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let http = reqwest::Client::builder().tls_backend_preconfigured(tls);
    let http = ReqwestClient::dangerous_loopback(http).unwrap();
    let endpoint = Endpoint::dangerous_loopback(url).unwrap();
    let service = VeraisonService::new(&endpoint, Arc::new(http)).unwrap();
    let media_type = "application/psa-attestation-token".parse().unwrap();
    let outcome = service
        .dangerous_submit_unchecked(&media_type, b"evidence", &[1; 32])
        .await;
    outcome.map(drop).map_err(|failure| failure.reason())
}

#[tokio::test]
async fn a_session_runs_over_a_socket() {
    let fake = Fake::new();
    let url = serve(fake.clone(), Way::Whole).await;
    assert_eq!(submit(&url).await, Ok(()));
    // A task of its own deletes the session.
    while fake.open_sessions() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(fake.steps(), [Step::Open, Step::Submit, Step::Delete]);
    assert_eq!(fake.request(Step::Submit).body(), b"evidence");
}

#[tokio::test]
async fn a_connection_that_closes_on_the_way_is_no_answer() {
    for step in [Step::Open, Step::Submit] {
        for length in [0, 10, 200] {
            let url = serve(Fake::new(), Way::Cut(step, length)).await;
            let refused = submit(&url).await;
            assert_eq!(refused, Err("unreachable"), "{step:?} {length}");
        }
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    for step in [Step::Open, Step::Submit] {
        let url = serve(Fake::new(), Way::Endless(step)).await;
        assert_eq!(submit(&url).await, Err("too_large"), "{step:?}");
    }
}

#[tokio::test]
async fn nobody_listens() {
    // Nobody else gets its port.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    assert_eq!(submit(&url).await, Err("unreachable"));
}

#[tokio::test]
async fn a_redirect_takes_evidence_nowhere_else() {
    let elsewhere = Fake::new();
    let there = serve(elsewhere.clone(), Way::Whole).await;
    for code in [301, 302, 307, 308] {
        let there = there.clone();
        let fake = Fake::new().tampering(move |step, answer| {
            if step == Step::Open {
                return answer;
            }
            let answer = Response::builder().status(code).header("location", &there);
            answer.body(Vec::new()).unwrap()
        });
        let url = serve(fake, Way::Whole).await;
        assert_eq!(submit(&url).await, Err("status"), "{code}");
    }
    assert_eq!(elsewhere.steps(), []);
}
