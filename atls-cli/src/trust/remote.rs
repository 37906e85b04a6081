//! Verifiers that ask a service.

use std::path::Path;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use atls_core::Verifier;
use atls_core::ear::Algorithm;
use atls_core::ear::KeySource;
use atls_core::ear::VerificationKeys;
use atls_core::http::HttpClient;
use atls_formats::Digest;
use atls_ita::ItaService;
use atls_maa::MaaService;
use atls_remote::Endpoint;
use atls_remote::Jwks;
use atls_remote::RemoteService;
use atls_remote::RemoteVerifier;
use atls_remote::RemoteVerifierBuilder;
use atls_remote::Resilient;
use atls_trustee::TrusteeService;
use atls_veraison::VeraisonService;

use super::td;
use crate::failure::Failure;
use crate::http_client;
use crate::source;
use crate::tls;
use crate::tls::provider;

/// `KIND=URL,NAME=VALUE,…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceOption {
    kind: Kind,
    url: String,
    settings: Vec<(Setting, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Ita,
    Maa,
    Trustee,
    Veraison,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Setting {
    ApiKey,
    Ca,
    Key,
    Measurement,
    Policy,
    Td,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Ita => "ita",
            Self::Maa => "maa",
            Self::Trustee => "trustee",
            Self::Veraison => "veraison",
        }
    }

    fn settings(self) -> &'static [Setting] {
        match self {
            Self::Ita => &[Setting::ApiKey, Setting::Ca, Setting::Policy],
            Self::Maa => &[Setting::Ca, Setting::Measurement, Setting::Td],
            Self::Trustee => &[Setting::Ca, Setting::Key, Setting::Policy],
            Self::Veraison => &[Setting::Ca, Setting::Key],
        }
    }

    /// Whether all that are given of it count.
    fn takes_several(self, setting: Setting) -> bool {
        match setting {
            Setting::ApiKey | Setting::Key => false,
            Setting::Ca | Setting::Measurement | Setting::Td => true,
            // Of Trustee a result names one.
            Setting::Policy => self != Self::Trustee,
        }
    }
}

impl Setting {
    fn name(self) -> &'static str {
        match self {
            Self::ApiKey => "api-key",
            Self::Ca => "ca",
            Self::Key => "key",
            Self::Measurement => "measurement",
            Self::Policy => "policy",
            Self::Td => "td",
        }
    }
}

impl FromStr for ServiceOption {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (service, settings) = match text.split_once(',') {
            Some((service, settings)) => (service, Some(settings)),
            None => (text, None),
        };
        let (kind, url) = service.split_once('=').ok_or("it has no `=`")?;
        let kinds = [Kind::Ita, Kind::Maa, Kind::Trustee, Kind::Veraison];
        let kind = kinds
            .into_iter()
            .find(|known| known.name() == kind)
            .ok_or("the kinds are veraison, trustee, ita and maa")?;
        let settings = settings.into_iter().flat_map(|all| all.split(','));
        let settings: Result<Vec<_>, _> = settings.map(|setting| pair(kind, setting)).collect();
        let settings = settings?;
        let mut all = settings.iter().map(|(setting, _)| *setting);
        while let Some(setting) = all.next() {
            if !kind.takes_several(setting) && all.clone().any(|other| other == setting) {
                return Err(format!("it has {} more than once", setting.name()));
            }
        }
        Ok(Self {
            kind,
            url: url.to_owned(),
            settings,
        })
    }
}

fn pair(kind: Kind, text: &str) -> Result<(Setting, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| format!("{text:?} has no `=`"))?;
    let mut known = kind.settings().iter();
    match known.find(|setting| setting.name() == name) {
        Some(setting) => Ok((*setting, value.to_owned())),
        None => {
            let names: Vec<_> = kind
                .settings()
                .iter()
                .map(|setting| setting.name())
                .collect();
            Err(format!("{} takes {}", kind.name(), names.join(", ")))
        }
    }
}

impl ServiceOption {
    /// The files that its settings name.
    pub(super) fn files(&self) -> impl Iterator<Item = PathBuf> {
        let of_files = [Setting::ApiKey, Setting::Ca, Setting::Key];
        let named = of_files
            .into_iter()
            .flat_map(move |setting| self.all(setting));
        named.map(PathBuf::from)
    }

    fn all(&self, wanted: Setting) -> impl Iterator<Item = &str> {
        let settings = self.settings.iter();
        settings
            .filter(move |(setting, _)| *setting == wanted)
            .map(|(_, value)| value.as_str())
    }

    fn file(&self, wanted: Setting) -> Option<PathBuf> {
        self.all(wanted).next().map(PathBuf::from)
    }
}

/// A verifier that asks a service.
pub(crate) struct Remote {
    pub(crate) verifier: Arc<dyn Verifier>,
    /// The service's keys, where they are fetched.
    pub(crate) keys: Option<Arc<Jwks>>,
}

/// The verifier that asks this service.
pub(crate) fn verifier(option: &ServiceOption) -> Result<Remote, Failure> {
    let service = Service::of(option)?;
    match option.kind {
        Kind::Ita => ita(option, &service),
        Kind::Maa => maa(option, &service),
        Kind::Trustee => trustee(option, &service),
        Kind::Veraison => veraison(option, &service),
    }
}

/// An address, and the way there.
struct Service {
    endpoint: Endpoint,
    http: Arc<dyn HttpClient>,
    name: &'static str,
}

impl Service {
    /// Plain `http` is for a service on this machine alone.
    fn of(option: &ServiceOption) -> Result<Self, Failure> {
        let roots = tls::roots(
            &option
                .all(Setting::Ca)
                .map(PathBuf::from)
                .collect::<Vec<_>>(),
        )?;
        let name = option.kind.name();
        let (endpoint, http) = if option.url.starts_with("http://") {
            let endpoint = Endpoint::dangerous_loopback(&option.url);
            (endpoint, http_client::on_this_machine(roots)?)
        } else {
            (Endpoint::https(&option.url), http_client::trusting(roots)?)
        };
        let endpoint = endpoint.map_err(|error| wrong(name).because(&error))?;
        let http = Arc::new(Resilient::new(name, http));
        Ok(Self {
            endpoint,
            http,
            name,
        })
    }
}

fn veraison(option: &ServiceOption, service: &Service) -> Result<Remote, Failure> {
    let name = service.name;
    let file = option.file(Setting::Key).ok_or_else(|| {
        wrong(name).with_help("name the key of its results, a JWK that you have from its operator: veraison=URL,key=FILE")
    })?;
    let keys = pinned(&file)?;
    let made = VeraisonService::new(&service.endpoint, service.http.clone());
    let made = made.map_err(|error| wrong(name).because(&error))?;
    let builder = RemoteVerifier::builder(made, Arc::new(keys), &provider())
        .format(atls_veraison::PsaToken::tfm())
        .format(atls_veraison::PsaToken::any_profile())
        .format(atls_veraison::CcaToken::new())
        .format(atls_veraison::SevSnpReport::new());
    built(builder, None, name)
}

fn trustee(option: &ServiceOption, service: &Service) -> Result<Remote, Failure> {
    let name = service.name;
    let (keys, fetched): (Arc<dyn KeySource>, _) = match option.file(Setting::Key) {
        Some(file) => (Arc::new(pinned(&file)?), None),
        None => {
            let url = service.endpoint.join("/.well-known/jwks.json");
            let url = url.map_err(|error| wrong(name).because(&error))?;
            let keys = Arc::new(Jwks::new(service.http.clone(), url, &[Algorithm::Es256]));
            (keys.clone(), Some(keys))
        }
    };
    let made = TrusteeService::new(&service.endpoint, service.http.clone());
    let mut made = made.map_err(|error| wrong(name).because(&error))?;
    if let Some(id) = option.all(Setting::Policy).next() {
        made = made.with_policy(id);
    }
    let builder = RemoteVerifier::builder(made, keys, &provider())
        .format(atls_trustee::SnpReport::new())
        .format(atls_trustee::TdxQuote::new())
        .format(atls_trustee::SampleEvidence::new());
    built(builder, fetched, name)
}

fn ita(option: &ServiceOption, service: &Service) -> Result<Remote, Failure> {
    let name = service.name;
    let file = option.file(Setting::ApiKey).ok_or_else(|| {
        wrong(name)
            .with_help("name the file with the key of your subscription: ita=URL,api-key=FILE")
    })?;
    let key = source::read_text(&file, source::MAX_KEYS)?;
    let made = ItaService::new(&service.endpoint, key.trim(), service.http.clone());
    let mut made = made.map_err(|error| wrong(name).because(&error))?;
    for id in option.all(Setting::Policy) {
        made = made.with_policy(id);
    }
    // The portal of a region has the name of its API, `api` replaced.
    let portal = option.url.replacen("://api.", "://portal.", 1);
    let portal = Endpoint::https(&portal).map_err(|error| wrong(name).because(&error))?;
    let keys = atls_ita::portal_keys(&portal, service.http.clone());
    let keys = Arc::new(keys.map_err(|error| wrong(name).because(&error))?);
    let builder =
        RemoteVerifier::builder(made, keys.clone(), &provider()).format(atls_ita::TdxQuote::new());
    built(builder, Some(keys), name)
}

fn maa(option: &ServiceOption, service: &Service) -> Result<Remote, Failure> {
    let name = service.name;
    let made = MaaService::new(&service.endpoint, service.http.clone());
    let mut made = made.map_err(|error| wrong(name).because(&error))?;
    for hex in option.all(Setting::Measurement) {
        let measurement = Digest::<48>::from_hex(hex)
            .ok_or_else(|| wrong(name).with_help("a measurement has 96 hexadecimal digits"))?;
        made = made.with_launch_measurement(*measurement.as_bytes());
    }
    for text in option.all(Setting::Td) {
        let td = td::measurements(text).ok_or_else(|| wrong(name).with_help(td::HELP))?;
        made = made.with_td(td);
    }
    let keys = atls_maa::instance_keys(&service.endpoint, service.http.clone());
    let keys = Arc::new(keys.map_err(|error| wrong(name).because(&error))?);
    let builder = RemoteVerifier::builder(made, keys.clone(), &provider())
        .format(atls_maa::SnpReport::new())
        .format(atls_maa::TdxQuote::new());
    built(builder, Some(keys), name)
}

fn built<S: RemoteService>(
    builder: RemoteVerifierBuilder<S>,
    keys: Option<Arc<Jwks>>,
    name: &str,
) -> Result<Remote, Failure> {
    let verifier = builder
        .build()
        .map_err(|error| wrong(name).because(&error))?;
    Ok(Remote {
        verifier: Arc::new(verifier),
        keys,
    })
}

/// A JWK, or a set of them.
pub(crate) fn pinned(file: &Path) -> Result<VerificationKeys, Failure> {
    let text = source::read_text(file, source::MAX_KEYS)?;
    VerificationKeys::from_jwk(&text)
        .or_else(|_| VerificationKeys::from_jwk_set(&text))
        .map_err(|error| {
            Failure::usage(format!(
                "{}: it is no JWK, and no set of them",
                file.display()
            ))
            .because(&error)
        })
}

fn wrong(name: &str) -> Failure {
    Failure::usage(format!("--verifier {name}: it cannot be used"))
}
