//! `batch.json`: §5.1

mod refused;
mod tree;

use serde::Deserialize;
use serde::Serialize;

use crate::Hex;
use crate::authenticators::MEDIA_TYPE;
use crate::authenticators::evidence;
use crate::cbor;
use crate::keys::Key;
use crate::keys::Keys;
use crate::message;
use crate::message::ATTESTATION_PARAMETERS;
use crate::message::CMW_ATTESTATION;
use crate::parameters;
use crate::scenario::Draft;
use crate::scenario::Refused;
use crate::scenario::Side;
use crate::tls::Suite;

#[derive(Serialize, Deserialize)]
pub struct Page {
    pub about: String,
    pub section: String,
    pub batches: Vec<Batch>,
    pub refused_proofs: Vec<RefusedProof>,
    pub refused: Vec<Refused>,
}

/// Connections whose attester made Evidence once.
#[derive(Serialize, Deserialize)]
pub struct Batch {
    pub name: String,
    pub root: Hex,
    /// A CMW that carries the root.
    pub evidence: Hex,
    pub connections: Vec<Connection>,
}

#[derive(Serialize, Deserialize)]
pub struct Connection {
    pub suite: String,
    pub exporter_secret: Hex,
    pub sender: Side,
    pub key: String,
    pub request: Hex,
    pub binder: Hex,
    pub leaf: Hex,
    pub index: u64,
    pub size: u64,
    pub path: Vec<Hex>,
    pub proof: Hex,
    pub cmw: Hex,
    pub selection: Hex,
    pub authenticator: Hex,
}

#[derive(Serialize, Deserialize)]
pub struct RefusedProof {
    pub name: String,
    pub reason: String,
    pub because: String,
    pub proof: Hex,
}

pub fn page(keys: &mut Keys) -> Page {
    let key = keys.key("ed25519");
    let servers = [Side::Server; 5];
    let batches = vec![
        batch(
            "two servers, SHA-256",
            &connections(&servers[..2], 1, &key),
            keys,
        ),
        batch(
            "three servers, with suites of both hashes",
            &connections(&servers[..3], 3, &key),
            keys,
        ),
        batch(
            "five servers, with suites of both hashes",
            &connections(&servers, 3, &key),
            keys,
        ),
        batch(
            "two clients",
            &connections(&[Side::Client; 2], 1, &key),
            keys,
        ),
    ];
    Page {
        about:
            "Evidence of a batch: trees, inclusion proofs, and the authenticators that carry them."
                .to_owned(),
        section: "§5.1".to_owned(),
        batches,
        refused_proofs: refused::proofs(),
        refused: refused::answers(keys),
    }
}

/// Requests with different contexts, on connections whose suites are the first so many of all, in turns.
fn connections(senders: &[Side], suites: usize, key: &Key) -> Vec<Draft> {
    let each = (0_u8..).zip(senders).map(|(number, sender)| {
        let suite = Suite::ALL[usize::from(number) % suites];
        let asker = sender.peer();
        let context = vec![number; 32];
        let data = match asker {
            Side::Client => parameters::client(&[MEDIA_TYPE], true, true, 0),
            Side::Server => parameters::server(&[MEDIA_TYPE], 1),
        };
        let request = message::usual_request(asker, &context, &[(ATTESTATION_PARAMETERS, data)]);
        let mut draft = Draft::new(suite, *sender, key, &request, Vec::new());
        draft.context = context;
        draft
    });
    each.collect()
}

fn batch(name: &str, drafts: &[Draft], keys: &mut Keys) -> Batch {
    let leaves: Vec<_> = drafts
        .iter()
        .map(|draft| tree::leaf(&draft.binder()))
        .collect();
    let root = tree::root(&leaves);
    let evidence = evidence(&root);
    let mut connections = Vec::new();
    for (index, draft) in drafts.iter().enumerate() {
        let path = tree::path(index, &leaves);
        let proof = proof(index, leaves.len(), &path.concat());
        let cmw = of_batch(&evidence, &proof);
        let selection = parameters::selection(true, true);
        let authenticator = carrying(draft, &cmw, &selection)
            .parts(keys)
            .authenticator();
        connections.push(Connection {
            suite: draft.suite.name().to_owned(),
            exporter_secret: draft.exporter_secret.clone().into(),
            sender: draft.sender,
            key: draft.key.name.clone(),
            request: draft.request.clone().into(),
            binder: draft.binder().into(),
            leaf: leaves[index].clone().into(),
            index: u64::try_from(index).unwrap(),
            size: u64::try_from(leaves.len()).unwrap(),
            path: path.into_iter().map(Hex).collect(),
            proof: proof.into(),
            cmw: cmw.into(),
            selection: selection.into(),
            authenticator: authenticator.into(),
        });
    }
    Batch {
        name: name.to_owned(),
        root: root.into(),
        evidence: evidence.into(),
        connections,
    }
}

fn proof(index: usize, size: usize, path: &[u8]) -> Vec<u8> {
    let number = |value: usize| cbor::uint(u64::try_from(value).unwrap());
    cbor::array(&[number(index), number(size), cbor::bytes(path)])
}

fn of_batch(evidence: &[u8], proof: &[u8]) -> Vec<u8> {
    let proof = cbor::array(&[cbor::text(PROOF), cbor::bytes(proof)]);
    cbor::map(&[(cbor::uint(0), evidence.to_vec()), (cbor::uint(1), proof)])
}

/// The same connection, whose answer carries this.
fn carrying(draft: &Draft, cmw: &[u8], selection: &[u8]) -> Draft {
    let extensions = vec![
        (CMW_ATTESTATION, message::cmw_attestation(cmw)),
        (ATTESTATION_PARAMETERS, selection.to_vec()),
    ];
    let mut answer = Draft::new(
        draft.suite,
        draft.sender,
        &draft.key,
        &draft.request,
        extensions,
    );
    answer.context.clone_from(&draft.context);
    answer
}

const PROOF: &str = "application/vnd.atls.inclusion-proof+cbor";
