//! Requests (docs/protocol.md §3 and §6): drafts to send, and what is unusual in one that came.

use atls_core::authenticator::Extension;
use atls_core::session::Side;
use ciborium::Value;

use super::CMW;
use super::PARAMETERS;
use super::PROFILE;
use super::Reader;
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

/// A request that came: the parts, as far as they can be read, and what is unusual.
#[derive(Clone, Debug)]
pub struct Request {
    pub bytes: Vec<u8>,
    pub twists: Vec<Twist>,
    pub context: Vec<u8>,
    pub schemes: Vec<u16>,
    /// Codes of its extensions.
    pub offered: Vec<u16>,
    pub parameters: Option<Parameters>,
}

/// The parameters of a request, with the permissive value where a key is absent or wrong.
#[derive(Clone, Debug)]
pub struct Parameters {
    pub formats: Vec<String>,
    pub batches: bool,
    pub verdicts: bool,
    pub wants: bool,
    /// Key 6 of a client, 7 of a server.
    pub last: u64,
}

impl Request {
    /// `spent` are the contexts of this connection so far. `None` for bytes that hold no request at all.
    pub fn read(bytes: &[u8], sender: Side, spent: &[Vec<u8>]) -> Option<Self> {
        let mut twists = Vec::new();
        let mut reader = Reader::new(bytes);
        let kind = reader.u8()?;
        if kind == kind_of(sender.peer()) {
            twists.push(Twist::OtherSideRequest);
        } else if kind != kind_of(sender) {
            return None;
        }
        let length = reader.u24()?;
        if length > reader.rest().len() {
            twists.push(Twist::RequestCut);
        }
        let mut body = Reader::new(reader.take_up_to(length));
        if !reader.rest().is_empty() {
            twists.push(Twist::RequestTrailing);
        }
        let context = body.vec8()?.to_vec();
        match context.len() {
            0 => twists.push(Twist::EmptyContext),
            255 => twists.push(Twist::LongContext),
            _ => {}
        }
        if spent.contains(&context) {
            twists.push(Twist::SpentContext);
        }
        let extensions = read_extensions(body.vec16()?)?;
        if !body.rest().is_empty() {
            return None;
        }
        let mut request = Self {
            bytes: bytes.to_vec(),
            twists,
            context,
            schemes: Vec::new(),
            offered: extensions.iter().map(|known| known.code).collect(),
            parameters: None,
        };
        request.judge(&extensions, sender)?;
        Some(request)
    }

    fn judge(&mut self, extensions: &[Extension], sender: Side) -> Option<()> {
        let find = |code| extensions.iter().find(|known| known.code == code);
        let twists = &mut self.twists;
        let known = [SCHEMES, CMW, PARAMETERS, SERVER_NAME];
        if has_twins(extensions) {
            twists.push(Twist::TwinInRequest);
        } else if extensions.len() > 32 {
            twists.push(Twist::ManyInRequest);
        } else if self.offered.iter().any(|code| !known.contains(code)) {
            twists.push(Twist::UnknownInRequest);
        }
        if sender == Side::Server && find(SERVER_NAME).is_some() {
            twists.push(Twist::ServerNameOfServer);
        }
        if find(CMW).is_some_and(|offer| !offer.data.is_empty()) {
            twists.push(Twist::FilledOffer);
        }
        match find(SCHEMES) {
            None => {
                twists.push(Twist::NoSchemes);
                self.schemes = TLS13_OF_NOTHING.to_vec();
            }
            Some(schemes) => {
                let list = Reader::new(&schemes.data).vec16()?;
                let pairs = list.chunks_exact(2);
                self.schemes = pairs
                    .filter_map(|pair| Some(u16::from_be_bytes(pair.try_into().ok()?)))
                    .collect();
                if self.schemes.is_empty() {
                    twists.push(Twist::EmptySchemes);
                    self.schemes = TLS13_OF_NOTHING.to_vec();
                }
            }
        }
        if let Some(parameters) = find(PARAMETERS) {
            let parameters = Parameters::read(&parameters.data, sender, twists)?;
            if parameters.wants && find(CMW).is_none() {
                twists.push(Twist::WantsWithoutOffer);
            }
            self.parameters = Some(parameters);
        }
        Some(())
    }

    /// Whether its sender wants attestation.
    pub fn wants(&self) -> bool {
        match &self.parameters {
            Some(parameters) => parameters.wants,
            None => self.offered.contains(&CMW),
        }
    }
}

impl Parameters {
    fn read(bytes: &[u8], sender: Side, twists: &mut Vec<Twist>) -> Option<Self> {
        let shape = cbor::shape(bytes)?;
        let (Value::Map(entries), rest) = cbor::read(bytes)? else {
            return None;
        };
        if !rest.is_empty() {
            twists.push(Twist::ParametersTrailing);
        }
        if shape.has_bignum {
            twists.push(Twist::BignumVersion);
        }
        if shape.depth > 16 {
            twists.push(Twist::DeepParameters);
        }
        if shape.values > 256 {
            twists.push(Twist::ManyParameters);
        }
        let mut keys: Vec<&Value> = Vec::new();
        for (key, _) in &entries {
            if keys.contains(&key) {
                twists.push(Twist::RepeatedKey);
            }
            if cbor::unsigned(key).is_none_or(|key| !(1..=8).contains(&key)) {
                twists.push(Twist::UnknownKey);
            }
            keys.push(key);
        }
        let get = |wanted: u64| {
            let found = entries
                .iter()
                .find(|(key, _)| cbor::unsigned(key) == Some(wanted));
            found.map(|(_, value)| value)
        };
        match get(1).map(cbor::unsigned) {
            None => twists.push(Twist::WithoutVersion),
            Some(Some(0)) => twists.push(Twist::VersionZero),
            Some(Some(2..)) => twists.push(Twist::HigherVersion),
            Some(_) => {}
        }
        match get(8).map(|name| name.as_text().unwrap_or_default()) {
            Some(name) if !is_name(name) => twists.push(Twist::BadProfile),
            Some(name) if name != PROFILE.name() => twists.push(Twist::OtherProfile),
            _ => {}
        }
        let formats = formats_of(get(2), twists);
        match get(4) {
            None => twists.push(Twist::WithoutVerdicts),
            Some(Value::Bool(_)) => {}
            Some(_) => twists.push(Twist::VerdictsAsNumber),
        }
        let (wish, ability) = match sender {
            Side::Client => (get(5), get(6)),
            Side::Server => (get(7), get(7)),
        };
        if wish.is_none() {
            twists.push(Twist::WithoutWish);
        }
        if ability.is_none() && sender == Side::Client {
            twists.push(Twist::WithoutAbility);
        }
        let last = ability.map_or(Some(1), cbor::unsigned);
        if last.is_none_or(|last| last > 2) {
            twists.push(Twist::WishBeyondTable);
        }
        Some(Self {
            formats,
            batches: get(3) == Some(&Value::Bool(true)),
            verdicts: get(4) != Some(&Value::Bool(false)),
            wants: get(5) != Some(&Value::Bool(false)),
            last: last.unwrap_or(1),
        })
    }
}

fn is_name(name: &str) -> bool {
    let is_fit = |letter: char| letter.is_ascii_alphanumeric() || "-._".contains(letter);
    (1..=64).contains(&name.len()) && name.chars().all(is_fit)
}

fn formats_of(value: Option<&Value>, twists: &mut Vec<Twist>) -> Vec<String> {
    let Some(Value::Array(listed)) = value else {
        twists.push(Twist::WithoutTypes);
        return Vec::new();
    };
    if listed.len() > 64 {
        twists.push(Twist::ManyTypes);
    }
    if listed.iter().any(|format| !format.is_text()) {
        twists.push(Twist::TypesAsBytes);
    }
    let texts = listed.iter().filter_map(Value::as_text);
    texts.map(str::to_owned).collect()
}

pub(super) fn read_extensions(bytes: &[u8]) -> Option<Vec<Extension>> {
    let mut reader = Reader::new(bytes);
    let mut extensions = Vec::new();
    while !reader.rest().is_empty() {
        let code = reader.u16()?;
        let data = reader.vec16()?.to_vec();
        extensions.push(Extension { code, data });
    }
    Some(extensions)
}

pub(super) fn has_twins(extensions: &[Extension]) -> bool {
    let mut codes: Vec<u16> = extensions.iter().map(|known| known.code).collect();
    codes.sort_unstable();
    codes.windows(2).any(|pair| pair.first() == pair.last())
}

/// What an end that does not mind a request without schemes signs with.
const TLS13_OF_NOTHING: [u16; 2] = [0x0403, 0x0804];
