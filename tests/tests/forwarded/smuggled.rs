//! A good statement in the hands of a client that did not attest, which it sends in every form that HTTP has. A service in front, over
//! sockets, hands requests on to the one behind.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use atls_axum::AttestedListener;
use atls_tower::AttestedStream;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use atls_tower::forward::ForwardResultLayer;
use atls_tower::forward::HEADER;
use atls_tower::forward::ReceiveError;
use atls_tower::forward::ResultReceiver;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::Response;
use end_to_end::http2;
use http::HeaderMap;
use http::HeaderName;
use http::HeaderValue;
use http::StatusCode;
use http::Uri;
use http::Version;
use http::header::CONNECTION;
use http::header::UPGRADE;
use http_body_util::BodyExt;
use http_body_util::StreamBody;
use hyper::body::Bytes;
use hyper::body::Frame;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

use crate::hop::Hop;

#[tokio::test]
async fn no_form_of_a_header_of_http_1_comes_through() {
    let scene = Scene::new().await;
    let stolen = scene.stolen().await;
    let request = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let told = scene.raw(request.as_bytes()).await;
    assert!(told.contains("stated: absent;"), "{told}");
    for lines in [
        format!("Atls-Ear: {stolen}"),
        format!("ATLS-EAR:{stolen}"),
        format!("aTLS_eAR: \t{stolen} "),
        format!("atls.ear: {stolen}"),
        format!("Atls-Ear: {stolen}\r\nAtls-Ear: {stolen}"),
        format!("Atls-Ear: x\r\natls_ear: {stolen}"),
        format!("Atls-Verifier-Ear: {stolen}"),
        format!("Atls-Ear : {stolen}"),
        format!(" Atls-Ear: {stolen}"),
        format!("X-Folded: a\r\n Atls-Ear: {stolen}"),
        format!("X-Split: a\rAtls-Ear: {stolen}"),
        format!("X-Split: a\nAtls-Ear: {stolen}"),
        format!("X-Null: a\0Atls-Ear: {stolen}"),
        format!("Connection: Atls-Ear\r\nAtls-Ear: {stolen}"),
        format!("Upgrade: h2c\r\nConnection: upgrade\r\nAtls-Ear: {stolen}"),
    ] {
        let request =
            format!("GET / HTTP/1.1\r\nhost: localhost\r\n{lines}\r\nconnection: close\r\n\r\n");
        assert_none(&scene.raw(request.as_bytes()).await, &lines);
    }
}

#[tokio::test]
async fn no_trailer_of_http_1_comes_through() {
    let scene = Scene::new().await;
    let stolen = scene.stolen().await;
    let request = format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\ntrailer: atls-ear, atls_ear, x-other\r\n\
         connection: close\r\n\r\n1\r\na\r\n0\r\nAtls-Ear: {stolen}\r\natls_ear: {stolen}\r\nX-Other: 1\r\n\r\n"
    );
    let told = scene.raw(request.as_bytes()).await;
    assert_none(&told, "trailers");
    assert!(told.contains("trailers: x-other;"), "{told}");
}

/// Smuggled behind a body whose length the two services may see differently.
#[tokio::test]
async fn no_request_within_another_comes_through() {
    let scene = Scene::new().await;
    let stolen = scene.stolen().await;
    let inner = format!("GET / HTTP/1.1\r\nhost: localhost\r\natls-ear: {stolen}\r\n\r\n");
    let length = inner.len();
    for head in [
        format!("content-length: {length}"),
        format!("content-length: {length}\r\ntransfer-encoding: chunked"),
        format!("content-length: 0\r\ncontent-length: {length}"),
        format!("content-length: {length}\r\nupgrade: h2c\r\nconnection: upgrade"),
        "transfer-encoding: xchunked".to_owned(),
        "transfer-encoding: chunked, identity".to_owned(),
    ] {
        let request = format!("POST / HTTP/1.1\r\nhost: localhost\r\n{head}\r\n\r\n{inner}");
        let last = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        assert_none(
            &scene.raw(format!("{request}{last}").as_bytes()).await,
            &head,
        );
    }
}

#[tokio::test]
async fn no_header_and_no_trailer_of_http_2_comes_through() {
    let scene = Scene::new().await;
    let stolen = scene.stolen().await;
    let stolen = HeaderValue::from_str(&stolen).unwrap();
    let io = TokioIo::new(scene.connector("h2").await);
    let executor = TokioExecutor::new();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(executor, io)
        .await
        .unwrap();
    tokio::spawn(connection);
    for name in ["atls-ear", "atls_ear", "atls.ear", "atls-verifier-ear"] {
        let mut trailers = HeaderMap::new();
        let name: HeaderName = name.parse().unwrap();
        trailers.insert(&name, stolen.clone());
        trailers.insert("x-other", HeaderValue::from_static("1"));
        // A body whose length is not known: trailers are for such alone in HTTP/1.1.
        let frames = [Frame::data(Bytes::from("a")), Frame::trailers(trailers)];
        let frames = frames.map(Ok::<_, Infallible>);
        let body = StreamBody::new(futures_util::stream::iter(frames));
        let request = http::Request::post("https://localhost/")
            .header(
                "trailer",
                "atls-ear, atls_ear, atls.ear, atls-verifier-ear, x-other",
            )
            .header(&name, &stolen)
            .header(&name, &stolen);
        let response = sender.send_request(request.body(body).unwrap()).await;
        let told = response.unwrap().into_body().collect().await.unwrap();
        let told = String::from_utf8(told.to_bytes().to_vec()).unwrap();
        assert_none(&told, name.as_str());
        assert!(told.contains("trailers: x-other;"), "{told}");
    }
}

/// Fields that no library writes: pseudo-headers, capital letters, and lines within a value.
#[tokio::test]
async fn no_malformed_field_of_http_2_comes_through() {
    let scene = Scene::new().await;
    let stolen = scene.stolen().await;
    for (name, value) in [
        (":atls-ear", stolen.clone()),
        ("Atls-Ear", stolen.clone()),
        ("atls-ear", format!("{stolen}\r\natls-ear: {stolen}")),
        ("x-split", format!("a\r\natls-ear: {stolen}")),
        ("x-split\r\natls-ear", stolen.clone()),
        ("atls-ear ", stolen.clone()),
        ("connection", "atls-ear".to_owned()),
    ] {
        let mut stream = scene.connector("h2").await;
        http2::begin(&mut stream).await.unwrap();
        let head = [http2::head(http2::GET, "/"), http2::field(name, &value)].concat();
        let flags = http2::END_STREAM | http2::END_HEADERS;
        let request = http2::frame(http2::HEADERS, flags, 1, &head);
        http2::say(&mut stream, &request).await.unwrap();
        // Refused by HTTP itself, or handed on without it.
        let told = http2::answer(&mut stream, 1).await.unwrap_or_default();
        assert_none(&String::from_utf8(told).unwrap(), name);
    }
}

#[tokio::test]
async fn a_client_that_attested_cannot_have_its_statement_removed_or_doubled() {
    let scene = Scene::new().await;
    for lines in [
        "x-nothing: 1",
        "connection: atls-ear, Atls_Ear",
        "connection: close, ATLS-EAR\r\nconnection: atls.ear",
        "atls-ear: forged",
    ] {
        let request = format!("GET / HTTP/1.1\r\nhost: localhost\r\n{lines}\r\n\r\n");
        let last = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        let told = scene
            .raw_attested(format!("{request}{last}").as_bytes())
            .await;
        assert!(told.contains("stated: affirming;"), "{lines}: {told}");
        assert!(!told.contains("stated: absent;"), "{lines}: {told}");
        assert_eq!(
            told.matches("stated:").count(),
            told.matches("atls-ear").count()
        );
    }
}

/// The service in front, and what it hands on to.
struct Scene {
    hop: Hop,
    front: SocketAddr,
}

impl Scene {
    async fn new() -> Self {
        let hop = Hop::new();
        let behind = Router::new()
            .fallback(tell)
            .with_state(Arc::new(hop.receiver()));
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = socket.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(socket, behind).await });

        let terms = ServerTerms::new().attester(hop.world.server_device.clone());
        let terms = terms.ask_peer(hop.world.about_clients());
        let mut tls = hop.world.server_tls();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = ServerAcceptor::new(tls, terms).unwrap();
        let listener = AttestedListener::bind("127.0.0.1:0", acceptor).await;
        let listener = listener.unwrap();
        let front = listener.local_addr();
        let layer = ForwardResultLayer::new(Arc::new(hop.forwarder()));
        let app = Router::new().fallback(hand_on).with_state(Behind {
            client: Client::builder(TokioExecutor::new()).build_http(),
            to,
        });
        tokio::spawn(async move { atls_axum::serve(listener, app.layer(layer)).await });
        Self { hop, front }
    }

    /// A statement that the service behind accepts.
    async fn stolen(&self) -> String {
        let sent = self.hop.headers(self.hop.forwarder()).await;
        sent[&HEADER].to_str().unwrap().to_owned()
    }

    /// A connection of a client that does not attest.
    async fn connector(&self, alpn: &str) -> AttestedStream<TcpStream> {
        let terms = ClientTerms::new().require_peer(self.hop.world.about_servers());
        self.connect(alpn, terms).await
    }

    async fn connect(&self, alpn: &str, terms: ClientTerms) -> AttestedStream<TcpStream> {
        let connector = ClientConnector::new(self.hop.world.client_tls(&[alpn]), terms).unwrap();
        let socket = TcpStream::connect(self.front).await.unwrap();
        let name = "localhost".try_into().unwrap();
        connector.connect(name, socket).await.unwrap()
    }

    /// What comes back for these bytes, of a client that does not attest.
    async fn raw(&self, bytes: &[u8]) -> String {
        said(self.connector("http/1.1").await, bytes).await
    }

    async fn raw_attested(&self, bytes: &[u8]) -> String {
        let terms = ClientTerms::new().require_peer(self.hop.world.about_servers());
        let terms = terms.attester(self.hop.world.client_device.clone());
        said(self.connect("http/1.1", terms).await, bytes).await
    }
}

/// All that comes back, up to the end of the connection.
async fn said(mut stream: AttestedStream<TcpStream>, bytes: &[u8]) -> String {
    http2::say(&mut stream, bytes).await.unwrap();
    let mut answers = Vec::new();
    // It may be closed without a goodbye.
    let _ = stream.read_to_end(&mut answers).await;
    String::from_utf8(answers).unwrap()
}

/// Nothing of a statement came to the service behind, under whatever name.
fn assert_none(told: &str, what: &str) {
    let told = told.to_lowercase();
    assert!(!told.contains("affirming"), "{what}: {told}");
    assert!(!told.contains("refused"), "{what}: {told}");
    assert!(!told.contains("atls"), "{what}: {told}");
}

/// The service behind.
async fn tell(State(receiver): State<Arc<ResultReceiver>>, request: Request) -> String {
    let (parts, body) = request.into_parts();
    let stated = match receiver.receive(&parts.headers) {
        Ok(result) => result.status().to_string(),
        Err(ReceiveError::Absent) => "absent".to_owned(),
        Err(_) => "refused".to_owned(),
    };
    let trailers = match body.collect().await {
        Ok(collected) => collected.trailers().map(names).unwrap_or_default(),
        Err(_) => "broken".to_owned(),
    };
    let headers = names(&parts.headers);
    format!("stated: {stated}; headers: {headers}; trailers: {trailers};")
}

fn names(headers: &HeaderMap) -> String {
    let names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
    names.join(" ")
}

#[derive(Clone)]
struct Behind {
    client: Client<HttpConnector, Body>,
    to: SocketAddr,
}

/// As a proxy does that keeps to RFC 9110 §7.6.1.
async fn hand_on(State(behind): State<Behind>, mut request: Request) -> Response {
    let uri = Uri::builder().scheme("http").path_and_query("/");
    let uri = uri.authority(behind.to.to_string()).build();
    *request.uri_mut() = uri.unwrap();
    *request.version_mut() = Version::HTTP_11;
    let headers = request.headers_mut();
    let lists = headers.get_all(CONNECTION).into_iter();
    let names = lists.flat_map(|list| list.to_str().unwrap().split(','));
    let names = names.filter_map(|name| name.trim().parse().ok());
    let names: Vec<HeaderName> = names.chain([CONNECTION, UPGRADE]).collect();
    for name in names {
        headers.remove(name);
    }
    match behind.client.request(request).await {
        Ok(response) => response.map(Body::new),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}
