//! What a TPM is open to, and a confidential machine is not: it attests a boot, and not whom the connection is to.
//!
//! Its quotes are forged by the software TPM of `atls_tpm::testing`, under a key that the victim's file of keys has.

use std::sync::Arc;
use std::sync::Mutex;

use adversary::AUTHENTICATOR;
use adversary::Link;
use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::LocalAttester;
use atls_core::MediaType;
use atls_core::PolicyViolation;
use atls_core::RelyingParty;
use atls_core::RelyingPartyBuilder;
use atls_core::cmw::Cmw;
use atls_core::exchange::Challenge;
use atls_core::exchange::certificate::Format;
use atls_core::policy::Candidate;
use atls_formats::tpm::TcgLogWriter;
use atls_reference::Live;
use atls_tower::weaker::Mode;
use atls_tpm::TpmClaims;
use atls_tpm::TpmKeys;
use atls_tpm::TpmPolicy;
use atls_tpm::TpmVerifier;
use atls_tpm::TrustedKey;
use atls_tpm::testing::ForgedTpm;
use end_to_end::ForgedKey;
use end_to_end::Served;
use rustls::sign::SingleCertAndKey;

use crate::duel::Middle;
use crate::lab::Lab;
use crate::lab::MODES;
use crate::lab::ask;
use crate::lab::lenient;
use crate::lab::request_for;
use crate::lab::terms_of;
use crate::outcome::Cell;
use crate::outcome::Row;

pub(crate) async fn rows(lab: &Lab) -> Vec<Row> {
    let [pre, intra, post] = MODES;
    vec![
        Row {
            id: "TPM R1",
            title: "replay of a quote",
            text: "R1 with a TPM. A quote has no date: in RA-TLS it is good for as long as its key and a certificate around it are.",
            cells: [
                replayed(lab, pre, Then::SwitchedOff).await,
                replayed(lab, intra, Then::SwitchedOff).await,
                replayed(lab, post, Then::SwitchedOff).await,
            ],
        },
        Row {
            id: "TPM reset",
            title: "a reset between two connections",
            text: "The machine is reset and booted with other software, which has the private key of its certificate, as from a \
                   disk. The TPM quotes the new boot. In RA-TLS nobody asks it: the certificate has the Evidence of the boot \
                   before. Memory of a confidential machine would have lost the key.",
            cells: [
                replayed(lab, pre, Then::BootedAnew).await,
                replayed(lab, intra, Then::BootedAnew).await,
                replayed(lab, post, Then::BootedAnew).await,
            ],
        },
        Row {
            id: "TPM reset alone",
            title: "a TPM that is reset alone, and told of another boot",
            text: "Whoever holds a machine with a discrete TPM resets the TPM without the machine, over its bus, and extends it with \
                   the measurements of the boot that the victim expects. Nothing in a quote tells; in the post-handshake mode he \
                   has the server's certificate too.",
            cells: [
                told_of_another_boot(lab, pre, Keys::OfTheMachine).await,
                told_of_another_boot(lab, intra, Keys::OfTheMachine).await,
                told_of_another_boot(lab, post, Keys::OfTheMachine).await,
            ],
        },
        Row {
            id: "TPM reset alone, counted",
            title: "the same, the boot being pinned",
            text: "The same against a file of keys that says `reset-count` of the machine's key. Each reset counts, of the TPM alone too. \
                   In RA-TLS the Evidence of before the reset is still good (TPM reset).",
            cells: [
                told_of_another_boot(lab, pre, Keys::OfOneBoot).await,
                told_of_another_boot(lab, intra, Keys::OfOneBoot).await,
                told_of_another_boot(lab, post, Keys::OfOneBoot).await,
            ],
        },
        Row {
            id: "TPM cuckoo",
            title: "the TPM of another machine (the cuckoo attack)",
            text: "The victim reaches a machine of the attacker's, which has the server's certificate where the mode checks one. It has the \
                   quote made by the TPM of the honest machine, on which somebody may use the key: root, or the group `tss`. That is \
                   L3 for whoever can reach a TPM. The victim's policy names the machine, which does not help: it is that machine's key. Evidence that a memory is encrypted is made within it; a TPM stands beside its machine.",
            cells: [
                cuckoo(lab, pre).await,
                cuckoo(lab, intra).await,
                cuckoo(lab, post).await,
            ],
        },
    ]
}

/// The machine after the Evidence was made that the attacker has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    BootedAnew,
    SwitchedOff,
}

/// Evidence of an earlier connection is presented, or, by a machine that is booted anew and can be asked, its own for this one.
async fn replayed(lab: &Lab, mode: Mode, then: Then) -> Cell {
    let machine = Machine::new();
    let party = Arc::new(party_knowing(machine.key()).build().unwrap());
    let genuine = serve(lab, mode, Arc::new(machine.clone())).await;
    let middle = Middle::new(lab).await;
    if mode == Mode::AfterHandshake {
        let old = ask(&mut lab.upstream(genuine.address, None).await).await;
        drop(genuine);
        let attack = async {
            let (socket, _) = middle.victim().await;
            let mut link = middle.end_tls(socket, lab.world.stolen_key()).await?;
            let challenge = challenged(&mut link).await;
            let evidence = match then {
                Then::SwitchedOff => old,
                Then::BootedAnew => {
                    machine.reset(malware());
                    machine.quote(challenge.to_attest().unwrap())
                }
            };
            let answer = challenge.answer(&evidence).unwrap();
            link.write(AUTHENTICATOR, &answer).await.unwrap();
            Some(link)
        };
        return middle.duel(mode, party, attack).await;
    }
    let old = lab.loot(genuine.address, None).await;
    drop(genuine);
    let attack = async {
        let (socket, random) = middle.victim().await;
        let identity = match (mode, then) {
            (Mode::InHandshake, Then::BootedAnew) => {
                let request = request_for(mode, &random, &old.key);
                machine.reset(malware());
                let evidence = machine.quote(request.as_request());
                old.key.certify(Some(&evidence))
            }
            _ => old.identity,
        };
        middle.end_tls(socket, identity).await
    };
    middle.duel(mode, party, attack).await
}

/// What the victim's file of keys says of the machine.
#[derive(Clone, Copy)]
enum Keys {
    OfOneBoot,
    OfTheMachine,
}

async fn told_of_another_boot(lab: &Lab, mode: Mode, keys: Keys) -> Cell {
    let machine = Machine::new();
    let mut key = machine.key();
    key.reset_count = match keys {
        Keys::OfOneBoot => Some(machine.resets()),
        Keys::OfTheMachine => None,
    };
    let party = Arc::new(party_knowing(key).build().unwrap());
    let before = attested(lab, mode, party.clone(), &machine).await;
    assert_eq!(before, Cell::Succeeds, "the boot that is meant is good");
    machine.reset(ForgedTpm::log());
    attested(lab, mode, party, &machine).await
}

async fn cuckoo(lab: &Lab, mode: Mode) -> Cell {
    let honest = Machine::new();
    let is_honest = |peer: &Candidate| match peer.claims::<TpmClaims>() {
        Ok(claims) if claims.key == "honest" => Ok(()),
        _ => Err(PolicyViolation::custom("another machine")),
    };
    let party = party_knowing(honest.key()).policy(is_honest);
    attested(lab, mode, Arc::new(party.build().unwrap()), &honest).await
}

/// The attacker has the quote made for the victim's connection; in the post-handshake mode he has a certificate for the name.
async fn attested(lab: &Lab, mode: Mode, party: Arc<RelyingParty>, tpm: &Machine) -> Cell {
    let middle = Middle::new(lab).await;
    let attack = async {
        let (socket, random) = middle.victim().await;
        if mode == Mode::AfterHandshake {
            let mut link = middle.end_tls(socket, lab.misissued()).await?;
            let challenge = challenged(&mut link).await;
            let evidence = tpm.quote(challenge.to_attest().unwrap());
            let answer = challenge.answer(&evidence).unwrap();
            link.write(AUTHENTICATOR, &answer).await.unwrap();
            return Some(link);
        }
        let own = ForgedKey::new();
        let evidence = tpm.quote(request_for(mode, &random, &own).as_request());
        middle.end_tls(socket, own.certify(Some(&evidence))).await
    };
    middle.duel(mode, party, attack).await
}

async fn challenged(link: &mut Link) -> Challenge {
    let (_, request) = link.read().await.unwrap();
    Challenge::receive(link, &request).unwrap()
}

/// A server that attests by this device, under keys that leak.
async fn serve(lab: &Lab, mode: Mode, device: Arc<dyn Attester>) -> Served {
    let own = Arc::new(SingleCertAndKey::from(lab.world.stolen_key()));
    let terms = terms_of(mode);
    let (terms, tls) = match mode {
        Mode::InCertificate => {
            let identity = lab.identity_in(Format::default(), device).await;
            (terms, lab.tls(identity))
        }
        Mode::InHandshake => (terms.attester(device).attest_in_handshake(), lab.tls(own)),
        Mode::AfterHandshake => (terms.attester(device), lab.tls(own)),
    };
    lab.world.serve_with(terms, tls).await
}

/// A machine whose TPM has the boot measured that the victim expects.
#[derive(Clone)]
struct Machine {
    tpm: Arc<Mutex<ForgedTpm>>,
    media_types: Vec<MediaType>,
}

impl Machine {
    fn new() -> Self {
        let tpm = ForgedTpm::new();
        Self {
            media_types: LocalAttester::media_types(&tpm).to_vec(),
            tpm: Arc::new(Mutex::new(tpm)),
        }
    }

    /// Resets the TPM, and measures this boot.
    fn reset(&self, boot: TcgLogWriter) {
        let mut tpm = self.tpm.lock().unwrap();
        let resets = &mut tpm.attest.clock.reset_count;
        *resets = resets.checked_add(1).unwrap();
        tpm.log = boot;
    }

    fn quote(&self, request: AttestRequest<'_>) -> Cmw {
        let mut tpm = self.tpm.lock().unwrap();
        LocalAttester::attest(&mut *tpm, request).unwrap()
    }

    fn key(&self) -> TrustedKey {
        self.tpm.lock().unwrap().trusted("honest")
    }

    fn resets(&self) -> u32 {
        self.tpm.lock().unwrap().attest.clock.reset_count
    }
}

impl Attester for Machine {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        Box::pin(async move { Ok(self.quote(request)) })
    }
}

/// A relying party that knows this key, and the boot.
fn party_knowing(key: TrustedKey) -> RelyingPartyBuilder {
    let keys = Live::fixed(TpmKeys::new(vec![key])).unwrap();
    let policy = Live::fixed(TpmPolicy::new(vec![ForgedTpm::image()])).unwrap();
    let verifier = TpmVerifier::new(Arc::new(policy), Arc::new(keys), &demo::provider());
    lenient().verifier(Arc::new(verifier))
}

/// The boot of somebody else's software.
fn malware() -> TcgLogWriter {
    ForgedTpm::log().measured(4, 4, b"malware")
}
