//! Conceptual Message Wrappers (docs/protocol.md §5): to send, and what is unusual in one that came.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ciborium::Value;
use serde_json::Value as Json;
use serde_json::json;

use super::cbor;
use crate::twist::Twist;

/// One piece of Evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    pub media_type: String,
    pub value: Vec<u8>,
}

impl Payload {
    /// A record of Evidence.
    pub fn record(&self) -> Value {
        record(&self.media_type, &self.value, Some(4.into()))
    }
}

fn record(media_type: &str, value: &[u8], indicator: Option<Value>) -> Value {
    let fields = [media_type.into(), Value::Bytes(value.to_vec())];
    Value::Array(fields.into_iter().chain(indicator).collect())
}

/// A CMW with this Evidence; `other` is Evidence over another value, for a second item.
pub fn encode(payload: &Payload, other: &Payload, twist: Option<Twist>) -> Vec<u8> {
    let own = payload.record();
    let items = |count: u8| {
        let items = (0..count).map(|n| (Value::from(format!("part-{n}")), own.clone()));
        Value::Map(items.collect())
    };
    let labelled = |label: String| Value::Map(vec![(label.into(), own.clone())]);
    cbor::write(&match twist {
        Some(Twist::JsonCmw) => return json(payload, &URL_SAFE_NO_PAD),
        Some(Twist::PaddedBase64) => return json(payload, &URL_SAFE),
        Some(Twist::EmptyCmw) => return Vec::new(),
        Some(Twist::CmwTrailing) => return [cbor::write(&own), vec![0]].concat(),
        Some(Twist::CollectionCmw) => labelled("cpu".to_owned()),
        Some(Twist::NineItems) => items(9),
        Some(Twist::FiveDeep) => (0..5).fold(own, |inner, _| Value::Map(vec![("a".into(), inner)])),
        Some(Twist::LongLabel) => labelled("l".repeat(129)),
        // An item that a decoder may take, of more values than the limit: the kind is an array.
        Some(Twist::ManyValues) => return many_values(payload),
        Some(Twist::RepeatedLabel) => {
            let entry = (Value::from("cpu"), own);
            Value::Map(vec![entry.clone(), entry])
        }
        Some(Twist::BignumIndicator) => {
            record(&payload.media_type, &payload.value, Some(cbor::bignum(4)))
        }
        Some(Twist::ZeroIndicator) => record(&payload.media_type, &payload.value, Some(0.into())),
        Some(Twist::MixedIndicator) => record(&payload.media_type, &payload.value, Some(12.into())),
        Some(Twist::BadCollectionType) => Value::Map(vec![
            ("__cmwc_t".into(), "no URI".into()),
            ("cpu".into(), own),
        ]),
        Some(Twist::UnknownItem) => second(own, record(NOBODYS, b"x", Some(4.into()))),
        Some(Twist::OtherFormat) => record(NOBODYS, &payload.value, Some(4.into())),
        Some(Twist::UnboundItem) => second(own, other.record()),
        _ => own,
    })
}

fn second(first: Value, second: Value) -> Value {
    Value::Map(vec![("a".into(), first), ("b".into(), second)])
}

/// Values beyond the limit that are no items, labels or levels: the value of the record in 300 chunks.
fn many_values(payload: &Payload) -> Vec<u8> {
    let mut out = vec![0x83];
    out.extend(cbor::write(&payload.media_type.as_str().into()));
    out.push(0x5f);
    let chunk = payload.value.len().div_ceil(300).max(1);
    for part in payload.value.chunks(chunk) {
        out.extend(cbor::write(&Value::Bytes(part.to_vec())));
    }
    // Chunks may be empty; there are 300 at least.
    out.extend([0x40; 300]);
    out.extend([0xff, 4]);
    out
}

fn json(payload: &Payload, engine: &impl Engine) -> Vec<u8> {
    let value = engine.encode(&payload.value);
    json!([payload.media_type, value, 4])
        .to_string()
        .into_bytes()
}

/// A CMW that came: its records, and what is unusual.
#[derive(Clone, Debug, Default)]
pub struct Cmw {
    pub twists: Vec<Twist>,
    pub items: Vec<Item>,
}

/// One record or tag.
#[derive(Clone, Debug)]
pub struct Item {
    /// `None` where it is given by number.
    pub media_type: Option<String>,
    pub value: Vec<u8>,
    pub indicator: Option<u64>,
}

impl Item {
    pub fn is_evidence(&self) -> bool {
        self.indicator.is_none_or(|bits| bits & 12 == 4)
    }
}

impl Cmw {
    /// `None` for bytes that hold no CMW at all.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut cmw = Self::default();
        if matches!(bytes.first(), Some(b'[' | b'{')) {
            cmw.twists.push(Twist::JsonCmw);
            cmw.read_json(&serde_json::from_slice(bytes).ok()?, 0)?;
        } else {
            let shape = cbor::shape(bytes)?;
            let (value, rest) = cbor::read(bytes)?;
            if !rest.is_empty() {
                cmw.twists.push(Twist::CmwTrailing);
            }
            if shape.has_bignum {
                cmw.twists.push(Twist::BignumIndicator);
            }
            if shape.values > 256 {
                cmw.twists.push(Twist::ManyValues);
            }
            if value.is_map() {
                cmw.twists.push(Twist::CollectionCmw);
            }
            cmw.read_cbor(&value, 0)?;
        }
        if cmw.items.len() > 8 {
            cmw.twists.push(Twist::NineItems);
        }
        let evidence = cmw.items.iter().any(Item::is_evidence);
        let mixed = |item: &Item| item.indicator.is_some_and(|bits| bits & 12 == 12);
        if !evidence && cmw.items.iter().any(mixed) {
            cmw.twists.push(Twist::MixedIndicator);
        }
        cmw.twists.sort_unstable();
        cmw.twists.dedup();
        Some(cmw)
    }

    pub(super) fn read_cbor(&mut self, value: &Value, depth: usize) -> Option<()> {
        match value {
            Value::Array(fields) => {
                let (kind, rest) = fields.split_first()?;
                let (value, rest) = rest.split_first()?;
                self.item(
                    kind.as_text(),
                    value.as_bytes()?,
                    rest.first().and_then(cbor::unsigned),
                )
            }
            Value::Tag(_, value) => {
                self.items.push(Item {
                    media_type: None,
                    value: value.as_bytes()?.clone(),
                    indicator: None,
                });
                Some(())
            }
            Value::Map(entries) => {
                let mut labels = Vec::new();
                self.level(depth);
                for (label, member) in entries {
                    if labels.contains(&label) {
                        self.twists.push(Twist::RepeatedLabel);
                    }
                    labels.push(label);
                    self.label(label.as_text().unwrap_or_default());
                    if label.as_text() == Some(COLLECTION_TYPE) {
                        self.collection_type(member.as_text()?);
                    } else {
                        self.read_cbor(member, depth.checked_add(1)?)?;
                    }
                }
                Some(())
            }
            _ => None,
        }
    }

    fn read_json(&mut self, value: &Json, depth: usize) -> Option<()> {
        match value {
            Json::Array(fields) => {
                let text = fields.get(1)?.as_str()?;
                if text.contains('=') {
                    self.twists.push(Twist::PaddedBase64);
                }
                let value = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
                let indicator = fields.get(2).map(Json::as_u64);
                self.item(fields.first()?.as_str(), &value, indicator.unwrap_or(None))
            }
            Json::Object(members) => {
                self.level(depth);
                for (label, member) in members {
                    self.label(label);
                    if label == COLLECTION_TYPE {
                        self.collection_type(member.as_str()?);
                    } else {
                        self.read_json(member, depth.checked_add(1)?)?;
                    }
                }
                Some(())
            }
            _ => None,
        }
    }

    fn item(
        &mut self,
        media_type: Option<&str>,
        value: &[u8],
        indicator: Option<u64>,
    ) -> Option<()> {
        if indicator == Some(0) {
            self.twists.push(Twist::ZeroIndicator);
        }
        self.items.push(Item {
            media_type: media_type.map(str::to_owned),
            value: value.to_vec(),
            // An end that does not mind takes an indicator of 0 for none.
            indicator: indicator.filter(|bits| *bits != 0),
        });
        Some(())
    }

    fn level(&mut self, depth: usize) {
        if depth >= 4 {
            self.twists.push(Twist::FiveDeep);
        }
    }

    fn label(&mut self, label: &str) {
        if label.len() > 128 {
            self.twists.push(Twist::LongLabel);
        }
    }

    fn collection_type(&mut self, text: &str) {
        let is_oid = text.contains('.') && text.chars().all(|c| c.is_ascii_digit() || c == '.');
        let scheme = text.split_once(':').map(|(scheme, _)| scheme);
        let is_uri = scheme.is_some_and(|scheme| !scheme.is_empty() && !scheme.contains(' '));
        if !is_oid && !is_uri {
            self.twists.push(Twist::BadCollectionType);
        }
    }
}

pub(super) const COLLECTION_TYPE: &str = "__cmwc_t";
/// A media type that nobody appraises.
pub const NOBODYS: &str = "application/x-nobody";
