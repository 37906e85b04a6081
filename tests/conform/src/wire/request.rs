//! Requests (docs/protocol.md §3 and §6) that came: the parts, and what is unusual in them.

use atls_core::exchange::authenticator::Extension;
use atls_core::session::Side;
use ciborium::Value;

use super::CMW;
use super::PARAMETERS;
use super::PROFILE;
use super::Reader;
use super::SCHEMES;
use super::SERVER_NAME;
use super::cbor;
use super::request_draft::kind_of;
use crate::twist::Twist;

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
