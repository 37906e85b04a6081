//! An authenticator that came, judged as a whole: its form, its selection, its CMW, and the value that its Evidence carries.

use ciborium::Value;

use crate::evidence::normal;
use crate::evidence::value_of;
use crate::twist::Twist;
use crate::wire::answer::Answer;
use crate::wire::answer::Asked;
use crate::wire::cbor;
use crate::wire::cmw::Cmw;
use crate::wire::cmw::Item;
use crate::wire::proof::OfBatch;
use crate::wire::proof::PROOF;
use crate::wire::schedule::binder;

/// What came, and everything unusual in it.
#[derive(Clone, Debug, Default)]
pub struct Examined {
    pub twists: Vec<Twist>,
    pub is_empty: bool,
    pub has_selection: bool,
    /// Whether its sender presented a certificate in the handshake.
    pub has_handshake_key: bool,
    /// Whether its sender expects a verdict.
    pub verdicts: bool,
    pub is_of_batch: bool,
    pub has_cmw: bool,
    /// Whether this kit could read the value that the Evidence carries.
    pub is_readable: bool,
}

impl Examined {
    /// `None` for bytes that hold no authenticator at all.
    pub fn read(bytes: &[u8], asked: &Asked<'_>) -> Option<Self> {
        let answer = Answer::read(bytes, asked)?;
        let mut examined = Self {
            twists: answer.twists.clone(),
            is_empty: answer.is_empty,
            has_selection: answer.selection.is_some(),
            has_handshake_key: !asked.session.handshake().peer_chain().is_empty(),
            ..Self::default()
        };
        if answer.is_empty {
            return Some(examined);
        }
        match &answer.selection {
            Some(selection) => examined.selection(selection, asked)?,
            None if answer.twists.contains(&Twist::NoCertificate) => {}
            None if asked.request.parameters.is_some() => examined.twists.push(Twist::NoSelection),
            None => {}
        }
        match &answer.cmw {
            Some(cmw) if !cmw.is_empty() => examined.cmw(cmw, &answer, asked)?,
            Some(_) => {}
            // Without a certificate there is no place for it.
            None if answer.twists.contains(&Twist::NoCertificate) => {}
            None if asked.request.wants() => examined.twists.push(Twist::Plain),
            None => {}
        }
        Some(examined)
    }

    fn selection(&mut self, bytes: &[u8], asked: &Asked<'_>) -> Option<()> {
        let (Value::Map(entries), rest) = cbor::read(bytes)? else {
            return None;
        };
        if !rest.is_empty() {
            self.twists.push(Twist::SelectionTrailing);
        }
        let get = |wanted: u64| {
            let mut entries = entries.iter();
            let found = entries.find(|(key, _)| cbor::unsigned(key) == Some(wanted));
            found.map(|(_, value)| value)
        };
        let known = |key: &Value| cbor::unsigned(key).is_some_and(|key| (1..=7).contains(&key));
        if entries.iter().any(|(key, _)| !known(key)) {
            self.twists.push(Twist::SelectionUnknownKey);
        }
        match get(1) {
            None => self.twists.push(Twist::SelectionWithoutVersion),
            Some(version) if cbor::unsigned(version) != Some(1) => {
                self.twists.push(Twist::SelectionVersion);
            }
            Some(_) => {}
        }
        if get(4).is_none() {
            self.twists.push(Twist::SelectionWithoutVerdicts);
        }
        self.verdicts = get(4) == Some(&Value::Bool(true));
        self.is_of_batch = get(3) == Some(&Value::Bool(true));
        let offered = asked.request.parameters.as_ref();
        if self.verdicts && offered.is_some_and(|offered| !offered.verdicts) {
            self.twists.push(Twist::UnofferedVerdicts);
        }
        if self.is_of_batch && offered.is_some_and(|offered| !offered.batches) {
            self.twists.push(Twist::UnofferedBatch);
        }
        Some(())
    }

    fn cmw(&mut self, bytes: &[u8], answer: &Answer, asked: &Asked<'_>) -> Option<()> {
        self.has_cmw = true;
        let plain = Cmw::read(bytes)?;
        let of_proof = |item: &Item| item.media_type.as_deref() == Some(PROOF);
        let has_proof = plain.items.iter().any(of_proof);
        if has_proof && !self.is_of_batch {
            self.twists.push(Twist::UnsaidProof);
        } else if self.is_of_batch {
            self.twists.push(Twist::OfBatch);
        }
        let mut expected = match &answer.spki {
            Some(spki) => binder(asked.session, &asked.request.context, spki).ok()?,
            None => return Some(()),
        };
        let cmw = if has_proof || self.is_of_batch {
            let of_batch = OfBatch::read(bytes)?;
            if let Some(membership) = of_batch.membership {
                expected = membership.root(&expected);
            }
            of_batch.evidence
        } else {
            plain
        };
        self.twists.extend(cmw.twists);
        for (index, item) in cmw
            .items
            .iter()
            .filter(|item| item.is_evidence())
            .enumerate()
        {
            self.item(index, item, &expected, asked);
        }
        Some(())
    }

    fn item(&mut self, index: usize, item: &Item, expected: &[u8], asked: &Asked<'_>) {
        let media_type = item.media_type.as_deref();
        let parameters = asked.request.parameters.as_ref();
        let formats = parameters.map_or(&[][..], |parameters| &parameters.formats);
        let is_listed = media_type.is_none_or(|given| {
            formats.is_empty() || formats.iter().any(|listed| normal(listed) == normal(given))
        });
        if !is_listed {
            self.twists.push(match index {
                0 => Twist::OtherFormat,
                _ => Twist::UnknownItem,
            });
        }
        let Some(value) = value_of(media_type, &item.value) else {
            return;
        };
        self.is_readable = true;
        if value == expected {
            return;
        }
        self.twists.push(if index > 0 {
            Twist::UnboundItem
        } else if self.is_of_batch {
            Twist::OtherLeaf
        } else if value.starts_with(expected) {
            Twist::PaddedBinder
        } else if expected.starts_with(&value) {
            Twist::PrefixBinder
        } else {
            Twist::OtherBinder
        });
    }
}
