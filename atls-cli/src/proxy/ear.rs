//! The result of a client, which the proxy states to the service behind under a key of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use atls_core::ear::EarSigner;
use atls_core::pki_types::PrivateKeyDer;
use atls_core::pki_types::pem::PemObject;
use atls_tower::forward::ResultForwarder;
use atls_tower::forward::StatementForm;
use clap::Args;
use clap::ValueEnum;
use clap::value_parser;
use serde_json::Value;
use serde_json::json;

use crate::failure::Failure;
use crate::source;
use crate::tls;
use crate::unused::given;

#[derive(Args, Clone, Debug)]
pub(crate) struct EarOptions {
    /// State the result of an attested client to the service, in the header Atls-Ear, signed by this key: P-256, P-384, Ed25519
    /// or RSA, in PEM, which signs nothing else
    #[arg(long, value_name = "FILE", requires_all = ["upstream", "ear_audience"], help_heading = STATED)]
    ear_key: Option<PathBuf>,

    /// The service that it is stated to: no other accepts it
    #[arg(long, value_name = "NAME", requires = "ear_key", help_heading = STATED)]
    ear_audience: Option<String>,

    /// The name of this proxy in it
    #[arg(long, value_name = "NAME", default_value = "atls-proxy", requires = "ear_key", help_heading = STATED)]
    ear_issuer: String,

    /// How long it is good, at most 300
    #[arg(long, value_name = "SECONDS", default_value_t = 60, requires = "ear_key", help_heading = STATED, value_parser = value_parser!(u64).range(1..=300))]
    ear_lifetime: u64,

    /// Its form
    #[arg(long, value_enum, value_name = "FORM", default_value_t, requires = "ear_key", help_heading = STATED)]
    ear_form: Form,

    /// Hand on the signed result of the service of --verifier too, in the header Atls-Verifier-Ear. It may identify the device
    #[arg(long, requires = "ear_key", help_heading = STATED)]
    verifier_ear: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Form {
    /// CBOR, in base64url
    Cwt,
    /// JSON
    #[default]
    Jwt,
}

/// The forwarder of these options, where there is a key, and the JWK set of its key for the service to pin.
pub(super) fn forwarder(
    options: &EarOptions,
) -> Result<(Option<Arc<ResultForwarder>>, Value), Failure> {
    let (Some(key), Some(audience)) = (&options.ear_key, &options.ear_audience) else {
        return Ok((None, json!({ "keys": [] })));
    };
    let signer = signer(key)?;
    let public = signer.public_jwk();
    let form = match options.ear_form {
        Form::Cwt => StatementForm::Cwt,
        Form::Jwt => StatementForm::Jwt,
    };
    let issuer = options.ear_issuer.as_str();
    let forwarder = ResultForwarder::new(signer, &tls::provider(), issuer, audience)
        .with_form(form)
        .with_lifetime(Duration::from_secs(options.ear_lifetime));
    let forwarder = match options.verifier_ear {
        true => forwarder.with_verifier_tokens(),
        false => forwarder,
    };
    let keys = public.into_iter().collect::<Vec<_>>();
    Ok((Some(Arc::new(forwarder)), json!({ "keys": keys })))
}

impl EarOptions {
    /// The file of the key.
    pub(super) fn file(&self) -> Option<&PathBuf> {
        self.ear_key.as_ref()
    }

    /// The arguments that were given; the others of them need these.
    pub(super) fn given(&self) -> Vec<&'static str> {
        given([("--ear-key", self.ear_key.is_some())])
    }

    /// Tells whether results of services are handed on as they came.
    pub(super) fn hands_on(&self) -> bool {
        self.verifier_ear
    }
}

fn signer(path: &std::path::Path) -> Result<EarSigner, Failure> {
    let wrong = |what: &str| Failure::usage(format!("{}: {what}", path.display()));
    let pem = source::read(path, source::MAX_KEYS)?;
    let key = PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|error| wrong("it is no key in PEM").because(&error))?;
    let key = tls::provider().key_provider.load_private_key(key);
    let key = key.map_err(|error| wrong("it is no key that can be used").because(&error))?;
    EarSigner::new(&*key).map_err(|error| wrong("it signs no results").because(&error))
}

const STATED: &str = "Stated to the service";
