//! Requests (docs/protocol.md §3 and §6) to send: as they should be, or with one twist.

use atls_core::exchange::authenticator::Extension;
use atls_core::session::Side;
use ciborium::Value;

use super::CMW;
use super::PARAMETERS;
use super::SCHEMES;
use super::SERVER_NAME;
use super::UNKNOWN;
use super::cbor;
use super::put_vec8;
use super::put_vec16;
use super::put_vec24;
use crate::twist::Twist;

/// A request to be.
#[derive(Clone, Debug)]
pub struct RequestDraft {
    pub sender: Side,
    pub kind: u8,
    pub context: Vec<u8>,
    pub schemes: Option<Vec<u16>>,
    pub offers_cmw: Option<Vec<u8>>,
    pub parameters: Option<Map>,
    pub others: Vec<Extension>,
    /// How much more the header claims than is there.
    pub excess: usize,
    pub tail: Vec<u8>,
}

/// A CBOR map to be, with bytes behind it.
#[derive(Clone, Debug, Default)]
pub struct Map {
    pub entries: Vec<(Value, Value)>,
    pub tail: Vec<u8>,
}

impl Map {
    pub fn encode(&self) -> Vec<u8> {
        let mut out = cbor::write(&Value::Map(self.entries.clone()));
        out.extend_from_slice(&self.tail);
        out
    }

    pub fn set(&mut self, key: u64, value: impl Into<Value>) {
        self.remove(key);
        self.entries.push((key.into(), value.into()));
    }

    pub fn remove(&mut self, key: u64) {
        self.entries
            .retain(|(known, _)| cbor::unsigned(known) != Some(key));
    }
}

impl RequestDraft {
    /// One that wants attestation in one of these formats; `last` is key 6 of a client, 7 of a server.
    pub fn new(sender: Side, context: Vec<u8>, formats: &[String], last: u64) -> Self {
        let formats = formats.iter().map(|format| Value::from(format.as_str()));
        let mut map = Map::default();
        map.set(1, 1);
        map.set(2, Value::Array(formats.collect()));
        map.set(3, true);
        map.set(4, true);
        match sender {
            Side::Client => {
                map.set(5, true);
                map.set(6, last);
            }
            Side::Server => map.set(7, last),
        }
        Self {
            sender,
            kind: kind_of(sender),
            context,
            schemes: Some(vec![0x0403, 0x0503, 0x0807, 0x0804, 0x0805, 0x0806]),
            offers_cmw: Some(Vec::new()),
            parameters: Some(map),
            others: Vec::new(),
            excess: 0,
            tail: Vec::new(),
        }
    }

    /// `own` is the context of the receiver's request.
    pub fn apply(&mut self, twist: Twist, own: Option<&[u8]>) {
        let unknown = |code| Extension {
            code,
            data: vec![7; 3],
        };
        match twist {
            Twist::OtherSideRequest => self.kind = kind_of(self.sender.peer()),
            Twist::RequestCut => self.excess = 9,
            Twist::RequestTrailing => self.tail = vec![0],
            Twist::NoSchemes => self.schemes = None,
            Twist::EmptySchemes => self.schemes = Some(Vec::new()),
            Twist::FilledOffer => self.offers_cmw = Some(vec![0]),
            Twist::TwinInRequest => self.others = vec![unknown(UNKNOWN); 2],
            Twist::ManyInRequest => self.others = (0xfb00..0xfb1e).map(unknown).collect(),
            Twist::ServerNameOfServer => self.others = vec![unknown(SERVER_NAME)],
            Twist::UnknownInRequest => self.others = vec![unknown(UNKNOWN)],
            Twist::EmptyContext => self.context = Vec::new(),
            Twist::LongContext => self.context.resize(255, 0x5a),
            Twist::SpentContext => self.context = own.unwrap_or_default().to_vec(),
            _ => self.apply_to_parameters(twist),
        }
    }

    fn apply_to_parameters(&mut self, twist: Twist) {
        let Some(map) = &mut self.parameters else {
            return;
        };
        let wish = match self.sender {
            Side::Client => 5,
            Side::Server => 7,
        };
        match twist {
            Twist::UnknownKey => map.set(99, "of a later version"),
            Twist::ParametersTrailing => map.tail = vec![0],
            Twist::RepeatedKey => map.entries.push((4.into(), true.into())),
            Twist::BignumVersion => map.set(1, cbor::bignum(1)),
            Twist::DeepParameters => {
                let nested = (0..20).fold(Value::from(0), |inner, _| Value::Array(vec![inner]));
                map.set(99, nested);
            }
            Twist::ManyParameters => map.set(99, Value::Array(vec![0.into(); 256])),
            Twist::ManyTypes => {
                let types = (0..65_u8).map(|n| Value::from(format!("application/x-{n}")));
                let own = types_of(map);
                map.set(
                    2,
                    Value::Array(own.into_iter().chain(types).take(65).collect()),
                );
            }
            Twist::TypesAsBytes => {
                let mut types = types_of(map);
                types.push(Value::Bytes(b"application/x".to_vec()));
                map.set(2, Value::Array(types));
            }
            Twist::VerdictsAsNumber => map.set(4, 1),
            Twist::WishBeyondTable => map.set(wish.max(6), 3),
            Twist::WithoutVersion => map.remove(1),
            Twist::WithoutTypes => map.remove(2),
            Twist::WithoutVerdicts => map.remove(4),
            Twist::WithoutWish => map.remove(wish),
            Twist::WithoutAbility => map.remove(6),
            Twist::BadProfile => map.set(8, "expat 03"),
            Twist::OtherProfile => map.set(8, "expat-02"),
            Twist::VersionZero => map.set(1, 0),
            Twist::HigherVersion => map.set(1, 7),
            Twist::WantsWithoutOffer => self.offers_cmw = None,
            _ => {}
        }
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut extensions = Vec::new();
        let mut put = |code: u16, data: &[u8]| {
            extensions.extend_from_slice(&code.to_be_bytes());
            put_vec16(&mut extensions, data);
        };
        if let Some(schemes) = &self.schemes {
            let list: Vec<u8> = schemes.iter().flat_map(|code| code.to_be_bytes()).collect();
            let mut data = Vec::new();
            put_vec16(&mut data, &list);
            put(SCHEMES, &data);
        }
        if let Some(data) = &self.offers_cmw {
            put(CMW, data);
        }
        if let Some(parameters) = &self.parameters {
            put(PARAMETERS, &parameters.encode());
        }
        for other in &self.others {
            put(other.code, &other.data);
        }
        let mut body = Vec::new();
        put_vec8(&mut body, &self.context);
        put_vec16(&mut body, &extensions);
        let mut out = vec![self.kind];
        put_vec24(&mut out, &body);
        if let Some(length) = out.get_mut(3) {
            *length = length.wrapping_add(u8::try_from(self.excess).unwrap_or(0));
        }
        out.extend_from_slice(&self.tail);
        out
    }
}

fn types_of(map: &Map) -> Vec<Value> {
    let types = map
        .entries
        .iter()
        .find(|(key, _)| cbor::unsigned(key) == Some(2));
    match types {
        Some((_, Value::Array(types))) => types.clone(),
        _ => Vec::new(),
    }
}

/// The type of a request by this side.
pub fn kind_of(sender: Side) -> u8 {
    match sender {
        Side::Client => 17,
        Side::Server => 13,
    }
}
