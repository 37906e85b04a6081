//! AMD's service over a fake HTTP client.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;

use atls_core::AppraisalError;
use atls_core::BoxFuture;
use atls_core::Fault;
use atls_core::http::HttpClient;
use atls_core::http::HttpError;
use atls_core::http::HttpLimits;
use atls_snp::CertificateKind;
use atls_snp::Kds;
use atls_snp::KdsCollateral;
use atls_snp::Product;
use atls_snp::testing::ForgedSnp;

pub(crate) fn missing(what: &'static str, due_from: Fault) -> AppraisalError {
    AppraisalError::NoEndorsement { what, due_from }
}

pub(crate) fn kds_of(amd: &Arc<Amd>) -> Kds {
    let kds = Kds::new(Arc::clone(amd) as Arc<dyn HttpClient>);
    kds.dangerous_with_root(ForgedSnp::new(amd.product).unwrap().root().unwrap())
}

pub(crate) fn kds(amd: &Arc<Amd>) -> KdsCollateral<Kds> {
    KdsCollateral::new(kds_of(amd))
}

pub(crate) fn vek_address(platform: &ForgedSnp) -> String {
    let product = platform.product;
    let chip = match product {
        Product::Turin => "c1".repeat(8),
        _ => "c1".repeat(64),
    };
    let versions = match product {
        Product::Milan => "blSPL=4&teeSPL=1&snpSPL=24&ucodeSPL=219",
        Product::Genoa => "blSPL=10&teeSPL=1&snpSPL=25&ucodeSPL=84",
        _ => "fmcSPL=1&blSPL=4&teeSPL=2&snpSPL=4&ucodeSPL=81",
    };
    format!("https://kdsintf.amd.com/vcek/v1/{product}/{chip}?{versions}")
}

pub(crate) fn pem(der: &[u8]) -> String {
    atls_formats::snp::pem(CertificateKind::Ask, der)
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Answer {
    Garbage,
    None,
    Status(u16),
}

/// AMD's server, as it would be for a forged platform, and the requests to it.
pub(crate) struct Amd {
    pub(crate) product: Product,
    pub(crate) bodies: Mutex<BTreeMap<String, Vec<u8>>>,
    answers: Mutex<BTreeMap<String, Answer>>,
    pub(crate) asked: Mutex<Vec<String>>,
}

impl Amd {
    pub(crate) fn of(platform: &ForgedSnp) -> Self {
        let amd = Self {
            product: platform.product,
            bodies: Mutex::default(),
            answers: Mutex::default(),
            asked: Mutex::default(),
        };
        amd.serve(platform);
        amd
    }

    /// From now on the collateral of this platform.
    pub(crate) fn serve(&self, platform: &ForgedSnp) {
        let product = platform.product;
        let chain = [platform.ask.certificate(), platform.ark.certificate()].map(|der| pem(&der));
        let crl = platform.crl.encode();
        let path = |path: &str| format!("https://kdsintf.amd.com/{path}");
        *self.bodies.lock().unwrap() = BTreeMap::from([
            (vek_address(platform), platform.vek_certificate()),
            (
                path(&format!("vcek/v1/{product}/cert_chain")),
                chain.concat().into_bytes(),
            ),
            (path(&format!("vcek/v1/{product}/crl")), crl.clone()),
            (path(&format!("vlek/v1/{product}/crl")), crl),
        ]);
    }

    pub(crate) fn answer(&self, address: &str, answer: Answer) {
        let mut answers = self.answers.lock().unwrap();
        answers.insert(address.to_owned(), answer);
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl HttpClient for Amd {
    fn send(
        &self,
        request: http::Request<Vec<u8>>,
        limits: HttpLimits,
    ) -> BoxFuture<'_, Result<http::Response<Vec<u8>>, HttpError>> {
        assert_eq!(request.method(), http::Method::GET);
        assert!(limits.max_body <= 64 * 1024);
        let address = request.uri().to_string();
        self.asked.lock().unwrap().push(address.clone());
        let answer = self.answers.lock().unwrap().get(&address).copied();
        let body = self.bodies.lock().unwrap().get(&address).cloned();
        let respond = |status: u16, body: Vec<u8>| {
            Ok(http::Response::builder().status(status).body(body).unwrap())
        };
        let outcome = match (answer, body) {
            (None, Some(body)) => respond(200, body),
            (None, None) => respond(404, Vec::new()),
            (Some(Answer::Garbage), _) => respond(200, b"garbage".to_vec()),
            (Some(Answer::Status(status)), _) => respond(status, Vec::new()),
            (Some(Answer::None), _) => Err(HttpError::TimedOut),
        };
        Box::pin(async { outcome })
    }
}
