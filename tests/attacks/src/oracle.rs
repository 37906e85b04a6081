//! Evidence that was made for one mode, presented in another.

use std::sync::Arc;

use adversary::AUTHENTICATOR;
use adversary::Link;
use atls_core::cmw::Cmw;
use atls_core::exchange::Challenge;
use atls_core::exchange::OwnedAttestRequest;
use atls_core::session::Session;
use atls_core::session::Side;
use atls_tower::ServerTerms;
use atls_tower::weaker::Mode;
use end_to_end::ForgedKey;
use rustls::SignatureAlgorithm;
use rustls::SignatureScheme;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::sign::Signer;
use rustls::sign::SigningKey;
use rustls::sign::SingleCertAndKey;
use tokio::net::TcpStream;

use crate::duel::Middle;
use crate::lab::Lab;
use crate::lab::MODES;
use crate::lab::ask;
use crate::lab::attest;
use crate::outcome::Cell;
use crate::outcome::Row;

pub(crate) async fn row(lab: &Lab) -> Row {
    let [pre, intra, post] = MODES;
    Row {
        id: "O1",
        title: "another mode as oracle",
        text: "The machine attests in another mode than the victim expects, and all its keys leaked. To a victim of either weaker \
               mode the attacker presents Evidence that the machine made in each of the other two; for the intra-handshake \
               mode he also asks for Evidence about a key whose public half would be all that is hashed there. To a victim of \
               the post-handshake mode he presents Evidence over a nonce that is the value which the victim's connection \
               exports, and Evidence about the key alone; all values have 32 bytes. None equals another's: what is hashed \
               of a handshake begins with a name, what is hashed of a key is one SubjectPublicKeyInfo in DER and no more, \
               and a binder has 32 bytes behind that.",
        cells: [
            to_weaker(lab, pre, [intra, post]).await,
            to_weaker(lab, intra, [pre, post]).await,
            to_post(lab).await,
        ],
    }
}

async fn to_weaker(lab: &Lab, victim: Mode, oracles: [Mode; 2]) -> Cell {
    let [one, other] = oracles;
    let first = presented(lab, victim, one).await;
    first.and(presented(lab, victim, other).await)
}

async fn presented(lab: &Lab, victim: Mode, oracle: Mode) -> Cell {
    let middle = Middle::new(lab).await;
    let attack = async {
        let (socket, random) = middle.victim().await;
        let (key, evidence) = made(lab, oracle, &random).await;
        middle.end_tls(socket, key.certify(Some(&evidence))).await
    };
    middle.duel(victim, lab.trusting_a(), attack).await
}

/// A key of the machine that leaked, and what the machine made about it in this mode.
async fn made(lab: &Lab, oracle: Mode, random: &[u8; 32]) -> (ForgedKey, Cmw) {
    let key = ForgedKey::new();
    let request = match oracle {
        Mode::AfterHandshake => return made_after_handshake(lab).await,
        Mode::InHandshake => OwnedAttestRequest::for_handshake(Side::Server, random, &*key.signing),
        Mode::InCertificate => {
            let spki = key.spki();
            let hashed = [b"atls intra-handshake\0s", &random[..], &spki].concat();
            let refused = OwnedAttestRequest::for_key(&SaysMore(hashed));
            assert!(refused.is_err(), "no such key is attested");
            OwnedAttestRequest::for_key(&*key.signing)
        }
    };
    let evidence = attest(&lab.world.server_device, &request.unwrap()).await;
    (key, evidence)
}

/// To the attacker, who connected as anybody may.
async fn made_after_handshake(lab: &Lab) -> (ForgedKey, Cmw) {
    let certificate = Arc::new(SingleCertAndKey::from(lab.world.stolen_key()));
    let terms = ServerTerms::new().attester(lab.world.server_device.clone());
    let tls = lab.tls_by(of_sha_256(), certificate);
    let genuine = lab.world.serve_with(terms, tls).await;
    let socket = TcpStream::connect(genuine.address).await.unwrap();
    let tls = Arc::new(lab.any_server(of_sha_256()));
    let mut link = Link::connect(tls, socket, None).await.unwrap();
    let evidence = ask(&mut link).await;
    let leaked = lab.world.issued.key.secret_der().to_vec();
    (ForgedKey::leaked(leaked), evidence)
}

async fn to_post(lab: &Lab) -> Cell {
    let over_nonce = authenticated(lab, Mode::InHandshake).await;
    over_nonce.and(authenticated(lab, Mode::InCertificate).await)
}

async fn authenticated(lab: &Lab, oracle: Mode) -> Cell {
    let middle = Middle::new(lab).await;
    let attack = async {
        let (socket, _) = middle.victim().await;
        // A certificate that the victim trusts, over a key that the machine would attest; and a hash as long as a nonce's.
        let identity = lab.misissued();
        let mut link = middle
            .end_tls_by(of_sha_256(), socket, identity.clone())
            .await?;
        let (_, request) = link.read().await.unwrap();
        let mut exported = [0; 32];
        let (_, context) = request.split_at(5);
        let (context, _) = context.split_at(32);
        link.export(b"Attestation", context, &mut exported).unwrap();
        let key = &*identity.key;
        let chosen = match oracle {
            Mode::InCertificate => OwnedAttestRequest::for_key(key),
            _ => OwnedAttestRequest::for_handshake(Side::Server, &exported, key),
        };
        let evidence = attest(&lab.world.server_device, &chosen.unwrap()).await;
        let challenge = Challenge::receive(&link, &request).unwrap();
        assert_eq!(challenge.to_attest().unwrap().bound().as_bytes().len(), 32);
        let answer = challenge.answer(&evidence).unwrap();
        link.write(AUTHENTICATOR, &answer).await.unwrap();
        Some(link)
    };
    let mode = Mode::AfterHandshake;
    middle.duel(mode, lab.trusting_a(), attack).await
}

/// Cipher suites of SHA-256 only, so that binders are as long as what the weaker modes bind.
fn of_sha_256() -> Arc<CryptoProvider> {
    let mut provider = CryptoProvider::clone(&demo::provider());
    provider.cipher_suites.retain(|suite| {
        let suite = suite.tls13();
        suite.is_some_and(|suite| suite.common.hash_provider.output_len() == 32)
    });
    Arc::new(provider)
}

/// A key whose public half is whatever bytes the attacker likes.
#[derive(Debug)]
struct SaysMore(Vec<u8>);

impl SigningKey for SaysMore {
    fn choose_scheme(&self, _: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        None
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(SubjectPublicKeyInfoDer::from(&self.0[..]))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}
