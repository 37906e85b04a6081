//! Authenticators (docs/protocol.md §4) that came: the parts, and what is unusual in them.

use atls_core::exchange::authenticator::Extension;
use atls_core::session::Session;
use atls_core::session::Side;
use rustls::pki_types::CertificateDer;

use super::CMW;
use super::PARAMETERS;
use super::Reader;
use super::answer_draft::empty_mac;
use super::request::Request;
use super::request::has_twins;
use super::request::read_extensions;
use super::schedule::Schedule;
use crate::twist::Twist;

/// An authenticator that came: the parts, as far as they can be read, and what is unusual.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub twists: Vec<Twist>,
    /// Whether it is an empty one.
    pub is_empty: bool,
    pub scheme: Option<u16>,
    /// DER SubjectPublicKeyInfo of the end-entity certificate.
    pub spki: Option<Vec<u8>>,
    pub cmw: Option<Vec<u8>>,
    pub selection: Option<Vec<u8>>,
}

/// What an answer is judged by.
#[allow(missing_debug_implementations, reason = "a session need not have it")]
pub struct Asked<'a> {
    pub session: &'a dyn Session,
    pub request: &'a Request,
    /// The side that answers.
    pub sender: Side,
}

impl Answer {
    /// `None` for bytes that hold no authenticator at all.
    pub fn read(bytes: &[u8], asked: &Asked<'_>) -> Option<Self> {
        let mut answer = Self::default();
        let mut reader = Reader::new(bytes);
        if bytes.first() == Some(&20) {
            let (_, mac, _) = answer.message(&mut reader)?;
            answer.is_empty = true;
            let expected = empty_mac(asked.session, asked.sender, asked.request).ok()?;
            answer.twists.push(match mac == expected {
                true => Twist::Empty,
                false => Twist::ForgedEmpty,
            });
            return Some(answer);
        }
        let (kind, certificate, certificate_bytes) = answer.message(&mut reader)?;
        let second = answer.message(&mut reader)?;
        let third = answer.message(&mut reader)?;
        if !reader.rest().is_empty() {
            answer.twists.push(Twist::AuthenticatorTrailing);
        }
        let (verify, finished) = match (kind, second.0, third.0) {
            (11, 15, 20) => (second, third),
            (11, 20, 15) => {
                answer.twists.push(Twist::Misordered);
                (third, second)
            }
            _ => return None,
        };
        let leaf = answer.read_certificate(certificate, asked)?;
        answer.judge_mac(asked, certificate_bytes, verify.2, finished.1)?;
        answer.judge_signature(asked, leaf.as_ref(), certificate_bytes, verify.1)?;
        Some(answer)
    }

    /// Type, body and all bytes.
    fn message<'a>(&mut self, reader: &mut Reader<'a>) -> Option<(u8, &'a [u8], &'a [u8])> {
        let whole = reader.rest();
        let kind = reader.u8()?;
        let length = reader.u24()?;
        if length > reader.rest().len() {
            self.twists.push(Twist::AuthenticatorCut);
        }
        let body = reader.take_up_to(length);
        let used = whole.len().saturating_sub(reader.rest().len());
        Some((kind, body, whole.get(..used)?))
    }

    fn read_certificate(
        &mut self,
        body: &[u8],
        asked: &Asked<'_>,
    ) -> Option<Option<CertificateDer<'static>>> {
        let mut reader = Reader::new(body);
        if reader.vec8()? != asked.request.context {
            self.twists.push(Twist::OtherContext);
        }
        let mut list = Reader::new(reader.vec24()?);
        let mut leaf = None;
        let mut entries = 0_usize;
        while !list.rest().is_empty() {
            let certificate = CertificateDer::from(list.vec24()?.to_vec());
            let extensions = read_extensions(list.vec16()?)?;
            self.judge_extensions(&extensions, entries, asked);
            leaf = leaf.or(Some(certificate));
            entries = entries.saturating_add(1);
        }
        match entries {
            0 => self.twists.push(Twist::NoCertificate),
            9.. => self.twists.push(Twist::NineCertificates),
            _ => {}
        }
        Some(leaf)
    }

    fn judge_extensions(&mut self, extensions: &[Extension], entry: usize, asked: &Asked<'_>) {
        if has_twins(extensions) {
            self.twists.push(Twist::TwinInEntry);
        }
        for extension in extensions {
            match extension.code {
                code if !asked.request.offered.contains(&code) => {
                    self.twists.push(Twist::Unoffered);
                }
                CMW if entry > 0 => self.twists.push(Twist::LaterCmw),
                PARAMETERS if entry > 0 => self.twists.push(Twist::LaterSelection),
                PARAMETERS => self.selection = Some(extension.data.clone()),
                CMW => {
                    let mut reader = Reader::new(&extension.data);
                    let cmw = reader.vec16().unwrap_or_default();
                    if cmw.is_empty() {
                        self.twists.push(Twist::EmptyCmw);
                    }
                    if !reader.rest().is_empty() {
                        self.twists.push(Twist::CmwVectorTrailing);
                    }
                    self.cmw = Some(cmw.to_vec());
                }
                _ => {}
            }
        }
    }

    fn judge_mac(
        &mut self,
        asked: &Asked<'_>,
        certificate: &[u8],
        verify: &[u8],
        mac: &[u8],
    ) -> Option<()> {
        let of = |side| {
            let schedule = Schedule::of(asked.session, side).ok()?;
            Some(schedule.mac(&asked.request.bytes, certificate, verify))
        };
        let expected = of(asked.sender)?;
        if mac == expected {
            return Some(());
        }
        self.twists.push(if expected.starts_with(mac) {
            Twist::CutMac
        } else if mac == of(asked.sender.peer())? {
            Twist::OtherSideMac
        } else {
            Twist::FlippedMac
        });
        Some(())
    }

    fn judge_signature(
        &mut self,
        asked: &Asked<'_>,
        leaf: Option<&CertificateDer<'_>>,
        certificate: &[u8],
        verify: &[u8],
    ) -> Option<()> {
        let mut reader = Reader::new(verify);
        let scheme = reader.u16()?;
        let signature = reader.vec16()?;
        self.scheme = Some(scheme);
        let Some(leaf) = leaf else {
            return Some(());
        };
        let leaf = webpki::EndEntityCert::try_from(leaf).ok()?;
        let spki = leaf.subject_public_key_info().as_ref().to_vec();
        let handshake = asked.session.handshake().peer_chain().first();
        let handshake = handshake.and_then(spki_of);
        if handshake.is_some_and(|key| key != spki) {
            self.twists.push(Twist::OtherKey);
        }
        self.spki = Some(spki);

        let schedule = Schedule::of(asked.session, asked.sender).ok()?;
        let signed = schedule.to_be_signed(&asked.request.bytes, certificate);
        let known = rustls::crypto::ring::default_provider().signature_verification_algorithms;
        let verifies = |algorithm| leaf.verify_signature(algorithm, &signed, signature).is_ok();
        let named = known
            .mapping
            .iter()
            .find(|(code, _)| u16::from(*code) == scheme);
        let fits = named
            .and_then(|(_, algorithms)| algorithms.first())
            .is_some_and(|algorithm| verifies(*algorithm));
        if !fits && !known.all.iter().any(|algorithm| verifies(*algorithm)) {
            self.twists.push(Twist::BadSignature);
        } else if !super::TLS13_SCHEMES.contains(&scheme) && named.is_some() {
            self.twists.push(Twist::Pkcs1);
        } else if !asked.request.schemes.contains(&scheme) {
            self.twists.push(Twist::UnofferedScheme);
        } else if !fits {
            self.twists.push(Twist::UnfitScheme);
        }
        Some(())
    }
}

/// DER SubjectPublicKeyInfo of a certificate.
pub fn spki_of(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let certificate = webpki::EndEntityCert::try_from(certificate).ok()?;
    Some(certificate.subject_public_key_info().as_ref().to_vec())
}
