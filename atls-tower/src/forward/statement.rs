//! From the attestation of a peer to an Attestation Result about it.

use std::time::Duration;

use atls_core::Origin;
use atls_core::PeerAttestation;
use atls_core::ear::Appraisal;
use atls_core::ear::Ear;
use atls_core::ear::Tier;
use atls_core::ear::VerifierId;
use atls_core::pki_types::UnixTime;
use atls_core::policy::AppraisedItem;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::Digest;
use sha2::Sha256;

/// A result with a part for each part of each device. Claims of platforms are left out, for they identify devices and have no bound; so
/// are labels, which the peer chose.
pub(super) fn about(peer: &PeerAttestation, now: UnixTime, lifetime: Duration) -> Option<Ear> {
    let several = peer.items().len() > 1;
    let parts = peer.items().iter().enumerate().flat_map(|(index, item)| {
        let worst = stated_worse(item).unwrap_or(Tier::Affirming);
        item.ear().submods().map(move |(name, part)| {
            let name = match several {
                true => format!("{index}/{name}"),
                false => name.to_owned(),
            };
            let part = part.summary().with_status(worst);
            (name, described(part, item, peer))
        })
    });
    let service = VerifierId::new("atls-tower", env!("CARGO_PKG_VERSION"));
    let ear = parts.fold(None, |ear: Option<Ear>, (name, part)| {
        Some(match ear {
            Some(ear) => ear.with_submod(&name, part),
            None => Ear::local(service.clone(), now, &name, part),
        })
    })?;
    let end = now.as_secs().saturating_add(lifetime.as_secs());
    let end = end.min(peer.expires_at().as_secs());
    Some(ear.with_expiry(UnixTime::since_unix_epoch(Duration::from_secs(end))))
}

/// The status of the whole, where its verifier states a worse one than that of each part.
fn stated_worse(item: &AppraisedItem) -> Option<Tier> {
    let parts = item.ear().submods().map(|(_, part)| part.status());
    let whole = item.ear().status();
    (parts.reduce(Tier::worst) != Some(whole)).then_some(whole)
}

fn described(part: Appraisal, item: &AppraisedItem, peer: &PeerAttestation) -> Appraisal {
    let verifier = item.ear().verifier();
    let verifier = format!("{} {}", verifier.developer(), verifier.build());
    let mut part = part
        .with_extension(BINDING, peer.binding().to_string().into())
        .with_extension(MEDIA_TYPE, item.media_type().to_string().into())
        .with_extension(ORIGIN, origin(item.origin()).into())
        .with_extension(VERIFIER, verifier.into());
    if let Some(image) = item.image() {
        part = part.with_extension(IMAGE, image.into());
    }
    if let Some(token) = item.token() {
        part = part.with_extension(TOKEN_SHA256, digest(token).into());
    }
    part
}

/// Everything but a device counts as simulated.
fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Device => DEVICE,
        _ => "simulated",
    }
}

/// SHA-256 in base64url.
pub(super) fn digest(token: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(token))
}

/// `connection`, `handshake` or `key`.
pub(super) const BINDING: &str = "atls_binding";

/// The name that the policy gives to the software.
pub(super) const IMAGE: &str = "atls_image";

/// The media type of the Evidence.
pub(super) const MEDIA_TYPE: &str = "atls_media_type";

/// `device` or `simulated`.
pub(super) const ORIGIN: &str = "atls_origin";

/// The SHA-256 of the verifier's signed result, in base64url.
pub(super) const TOKEN_SHA256: &str = "atls_token_sha256";

/// The verifier of the Evidence, and its version.
pub(super) const VERIFIER: &str = "atls_verifier";

pub(super) const DEVICE: &str = "device";
