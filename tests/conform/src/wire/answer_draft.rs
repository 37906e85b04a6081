//! Authenticators (docs/protocol.md §4) to send: as they should be, or with one twist.

use std::io;
use std::sync::Arc;

use atls_core::exchange::authenticator::Extension;
use atls_core::session::Session;
use atls_core::session::Side;
use rustls::SignatureScheme;
use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;

use super::CMW;
use super::PARAMETERS;
use super::PRIVATE_SCHEME;
use super::UNKNOWN;
use super::put_vec8;
use super::put_vec16;
use super::put_vec24;
use super::request::Request;
use super::request_draft::Map;
use super::schedule::Schedule;
use crate::twist::Twist;

/// A full authenticator to be.
#[derive(Clone, Debug)]
pub struct AnswerDraft {
    pub sender: Side,
    pub context: Vec<u8>,
    pub chain: Vec<CertificateDer<'static>>,
    pub cmw: Option<Vec<u8>>,
    pub selection: Option<Map>,
    pub key: Arc<CertifiedKey>,
    twist: Option<Twist>,
}

impl AnswerDraft {
    /// The answer to this request, with nothing attested.
    pub fn new(sender: Side, request: &Request, key: Arc<CertifiedKey>) -> Self {
        let selection = request.parameters.as_ref().map(|parameters| {
            let mut map = Map::default();
            map.set(1, 1);
            map.set(4, parameters.verdicts);
            map
        });
        Self {
            sender,
            context: request.context.clone(),
            chain: key.cert.clone(),
            cmw: None,
            selection,
            key,
            twist: None,
        }
    }

    pub fn apply(&mut self, twist: Twist) {
        self.twist = Some(twist);
        match twist {
            Twist::OtherContext => {
                if let Some(first) = self.context.first_mut() {
                    *first ^= 1;
                } else {
                    self.context = vec![1];
                }
            }
            Twist::NoCertificate => self.chain.clear(),
            Twist::NineCertificates => {
                let leaf = self.chain.first().cloned();
                self.chain = leaf.into_iter().cycle().take(9).collect();
            }
            Twist::LaterCmw | Twist::LaterSelection => {
                let leaf = self.chain.first().cloned();
                self.chain.truncate(1);
                self.chain.extend(leaf);
            }
            Twist::Plain => self.cmw = None,
            Twist::NoSelection => self.selection = None,
            _ => self.apply_to_selection(twist),
        }
    }

    fn apply_to_selection(&mut self, twist: Twist) {
        let Some(map) = &mut self.selection else {
            return;
        };
        match twist {
            Twist::SelectionUnknownKey => map.set(99, "of a later version"),
            Twist::SelectionTrailing => map.tail = vec![0],
            Twist::SelectionWithoutVersion => map.remove(1),
            Twist::SelectionWithoutVerdicts => map.remove(4),
            Twist::SelectionVersion => map.set(1, 2),
            Twist::UnofferedVerdicts => map.set(4, true),
            _ => {}
        }
    }

    /// The bytes, signed by the key of the draft on this connection.
    ///
    /// # Errors
    /// Where the connection cannot export, or the key signs by none of the schemes of the request.
    pub fn seal(&self, session: &dyn Session, request: &Request) -> io::Result<Vec<u8>> {
        let schedule = Schedule::of(session, self.sender)?;
        let certificate = self.certificate();
        let (label, mut signature) = self.sign(&schedule, request, &certificate)?;
        if self.twist == Some(Twist::BadSignature)
            && let Some(last) = signature.last_mut()
        {
            *last ^= 1;
        }
        let mut body = label.to_be_bytes().to_vec();
        put_vec16(&mut body, &signature);
        let verify = message(15, &body);
        let maker = match self.twist {
            Some(Twist::OtherSideMac) => Schedule::of(session, self.sender.peer())?,
            _ => schedule,
        };
        let mut mac = maker.mac(&request.bytes, &certificate, &verify);
        match self.twist {
            Some(Twist::FlippedMac) => mac.iter_mut().take(1).for_each(|byte| *byte ^= 0x80),
            Some(Twist::CutMac) => mac.truncate(16),
            _ => {}
        }
        let mut finished = message(20, &mac);
        match self.twist {
            Some(Twist::AuthenticatorCut) => {
                let length = finished.get_mut(3).into_iter();
                length.for_each(|length| *length = length.wrapping_add(9));
            }
            Some(Twist::AuthenticatorTrailing) => finished.push(0),
            Some(Twist::Misordered) => return Ok([certificate, finished, verify].concat()),
            _ => {}
        }
        Ok([certificate, verify, finished].concat())
    }

    fn certificate(&self) -> Vec<u8> {
        let mut list = Vec::new();
        for (index, certificate) in self.chain.iter().enumerate() {
            put_vec24(&mut list, certificate);
            let mut extensions = Vec::new();
            for extension in self.extensions(index) {
                extensions.extend_from_slice(&extension.code.to_be_bytes());
                put_vec16(&mut extensions, &extension.data);
            }
            put_vec16(&mut list, &extensions);
        }
        let mut body = Vec::new();
        put_vec8(&mut body, &self.context);
        put_vec24(&mut body, &list);
        message(11, &body)
    }

    fn extensions(&self, index: usize) -> Vec<Extension> {
        let cmw = self.cmw.as_ref().map(|cmw| {
            let mut data = Vec::new();
            put_vec16(&mut data, cmw);
            if self.twist == Some(Twist::CmwVectorTrailing) {
                data.push(0);
            }
            Extension { code: CMW, data }
        });
        let selection = self.selection.as_ref().map(|map| Extension {
            code: PARAMETERS,
            data: map.encode(),
        });
        match (index, self.twist) {
            (1, Some(Twist::LaterCmw)) => return cmw.into_iter().collect(),
            (1, Some(Twist::LaterSelection)) => return selection.into_iter().collect(),
            (1.., _) => return Vec::new(),
            _ => {}
        }
        let twin = cmw
            .clone()
            .filter(|_| self.twist == Some(Twist::TwinInEntry));
        let unoffered = (self.twist == Some(Twist::Unoffered)).then(|| Extension {
            code: UNKNOWN,
            data: Vec::new(),
        });
        let all = [cmw, selection, twin, unoffered];
        all.into_iter().flatten().collect()
    }

    /// The scheme that is named, and the signature.
    fn sign(
        &self,
        schedule: &Schedule,
        request: &Request,
        certificate: &[u8],
    ) -> io::Result<(u16, Vec<u8>)> {
        let allowed: Vec<SignatureScheme> = match self.twist {
            Some(Twist::Pkcs1) => vec![SignatureScheme::RSA_PKCS1_SHA256],
            _ => {
                let schemes = request.schemes.iter().copied();
                let allowed = schemes.filter(|code| super::TLS13_SCHEMES.contains(code));
                allowed.map(SignatureScheme::from).collect()
            }
        };
        let signer = self.key.key.choose_scheme(&allowed);
        let signer =
            signer.ok_or_else(|| io::Error::other("the request offers no scheme of our key"))?;
        let signed = signer.sign(&schedule.to_be_signed(&request.bytes, certificate));
        let label = u16::from(signer.scheme());
        let label = match self.twist {
            Some(Twist::UnofferedScheme) => PRIVATE_SCHEME,
            Some(Twist::UnfitScheme) => {
                let others = request.schemes.iter().copied();
                others
                    .filter(|code| super::TLS13_SCHEMES.contains(code) && *code != label)
                    .find(|code| code >> 8 != label >> 8 || label < 0x0800)
                    .unwrap_or(0x0503)
            }
            _ => label,
        };
        Ok((label, signed.map_err(io::Error::other)?))
    }
}

/// The empty authenticator of this sender; a forged one with [`Twist::ForgedEmpty`].
///
/// # Errors
/// Where the connection cannot export.
pub fn empty(
    session: &dyn Session,
    sender: Side,
    request: &Request,
    twist: Option<Twist>,
) -> io::Result<Vec<u8>> {
    let mut mac = empty_mac(session, sender, request)?;
    if twist == Some(Twist::ForgedEmpty) {
        mac.iter_mut().take(1).for_each(|byte| *byte ^= 0x80);
    }
    Ok(message(20, &mac))
}

pub(super) fn empty_mac(
    session: &dyn Session,
    sender: Side,
    request: &Request,
) -> io::Result<Vec<u8>> {
    let mut absent = Vec::new();
    put_vec8(&mut absent, &request.context);
    put_vec24(&mut absent, &[]);
    let schedule = Schedule::of(session, sender)?;
    Ok(schedule.mac(&request.bytes, &message(11, &absent), &[]))
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![kind];
    put_vec24(&mut out, body);
    out
}
