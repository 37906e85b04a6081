//! TPM quotes: `TPMS_ATTEST` (TPM 2.0 Library, Part 2: Structures, §10.12).

use crate::inspect::tree::Node;

/// What a TPM signed about itself, alone or as `TPM2B_ATTEST`.
pub(super) fn attest(bytes: &[u8]) -> Option<Node> {
    let attest = match bytes.split_first_chunk::<2>() {
        Some((length, rest)) if usize::from(u16::from_be_bytes(*length)) == rest.len() => rest,
        _ => bytes,
    };
    let mut reader = Reader(attest);
    if reader.take(4)? != GENERATED {
        return None;
    }
    let kind = reader.u16()?;
    let signer = reader.sized()?;
    let extra = reader.sized()?;
    let clock = reader.u64()?;
    let resets = reader.u32()?;
    let restarts = reader.u32()?;
    let safe = reader.take(1)?.first() == Some(&1);
    let firmware = reader.u64()?;
    let mut body = Node::branch("TPMS_ATTEST")
        .signed_by("the attestation key of the TPM")
        .with(Node::leaf("magic", "TPM_GENERATED_VALUE"))
        .with(Node::leaf("type", format!("{kind:#06x}")).meaning(kind_name(kind)))
        .with(Node::bytes("qualifiedSigner", signer).meaning("the name of the key"))
        .with(Node::bytes("extraData", extra).meaning("the value of the connection"))
        .with(Node::leaf("clockInfo.clock", clock).meaning("milliseconds of power"))
        .with(Node::leaf("clockInfo.resetCount", resets))
        .with(Node::leaf("clockInfo.restartCount", restarts))
        .with(Node::leaf("clockInfo.safe", safe))
        .with(Node::leaf("firmwareVersion", format!("{firmware:#018x}")));
    if kind == QUOTE {
        body = body.with(quote(&mut reader)?);
    } else {
        body = body.with(Node::bytes("attested", reader.0));
        reader.0 = &[];
    }
    reader.0.is_empty().then_some(body)
}

fn quote(reader: &mut Reader<'_>) -> Option<Node> {
    let count = reader.u32()?;
    if count > MAX_BANKS {
        return None;
    }
    let mut node = Node::branch("TPMS_QUOTE_INFO");
    for _ in 0..count {
        let algorithm = reader.u16()?;
        let size = *reader.take(1)?.first()?;
        let select = reader.take(size.into())?;
        let name = format!("pcrSelect {}", hash_name(algorithm));
        node = node.with(Node::leaf(name, selected(select)));
    }
    let digest = reader.sized()?;
    Some(node.with(Node::bytes("pcrDigest", digest).meaning("the hash of the selected PCRs")))
}

/// The numbers of the PCRs that are selected.
fn selected(select: &[u8]) -> String {
    let bits = select.iter().enumerate().flat_map(|(position, byte)| {
        let set = (0..8usize).filter(move |bit| byte >> bit & 1 == 1);
        set.map(move |bit| position.saturating_mul(8).saturating_add(bit).to_string())
    });
    bits.collect::<Vec<_>>().join(" ")
}

fn kind_name(kind: u16) -> &'static str {
    match kind {
        QUOTE => "TPM_ST_ATTEST_QUOTE",
        0x8017 => "TPM_ST_ATTEST_CERTIFY",
        0x8014 => "TPM_ST_ATTEST_NV",
        0x8019 => "TPM_ST_ATTEST_TIME",
        0x801a => "TPM_ST_ATTEST_CREATION",
        _ => "another structure",
    }
}

fn hash_name(algorithm: u16) -> String {
    match algorithm {
        0x0004 => "SHA-1".to_owned(),
        0x000b => "SHA-256".to_owned(),
        0x000c => "SHA-384".to_owned(),
        0x000d => "SHA-512".to_owned(),
        other => format!("{other:#06x}"),
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().ok()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_be_bytes(self.take(8)?.try_into().ok()?))
    }

    fn sized(&mut self) -> Option<&'a [u8]> {
        let length = self.u16()?;
        self.take(length.into())
    }
}

const GENERATED: &[u8] = &[0xff, 0x54, 0x43, 0x47];
const QUOTE: u16 = 0x8018;
/// A TPM has a handful.
const MAX_BANKS: u32 = 16;
