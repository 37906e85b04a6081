//! A strict reader of requests of HTTP/1.1, as a service behind a proxy may be one: whatever is ambiguous is a panic.

/// One request.
#[derive(Debug)]
pub struct Request {
    /// Names in small letters, and values.
    pub headers: Fields,
    pub trailers: Fields,
}

/// In their order. Each byte of a value is a character.
pub type Fields = Vec<(String, String)>;

impl Request {
    /// All values of a header.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(known, _)| known == name);
        named.map(|(_, value)| value.as_str()).collect()
    }

    /// It goes on in another protocol, if the service agrees.
    pub fn is_upgrade(&self) -> bool {
        !self.all("upgrade").is_empty()
    }
}

/// The requests of a connection up to the first that is not whole or is an upgrade.
pub fn requests(mut bytes: &[u8]) -> Vec<Request> {
    let mut found = Vec::new();
    while let Some((request, rest)) = request(bytes) {
        let ends = request.is_upgrade();
        found.push(request);
        if ends {
            break;
        }
        bytes = rest;
    }
    found
}

/// A request whose head is whole, and what comes after its body.
fn request(bytes: &[u8]) -> Option<(Request, &[u8])> {
    let (head, body) = until(bytes, b"\r\n\r\n")?;
    let head = text(head);
    let (first, fields) = head.split_once("\r\n").unwrap_or((&head, ""));
    let words: Vec<_> = first.split(' ').collect();
    assert!(matches!(words[..], [_, _, "HTTP/1.1"]), "{first:?}");
    let mut request = Request {
        headers: self::fields(fields),
        trailers: Vec::new(),
    };
    let lengths = (
        request.all("content-length"),
        request.all("transfer-encoding"),
    );
    let rest = match (&lengths.0[..], &lengths.1[..]) {
        ([], []) => body,
        ([length], []) => {
            assert!(length.bytes().all(|digit| digit.is_ascii_digit()), "{head}");
            let length = length.parse::<usize>().expect("a number");
            body.get(length..).unwrap_or_default()
        }
        ([], ["chunked"]) => {
            let (trailers, rest) = chunks(body).unwrap_or_default();
            request.trailers = trailers;
            rest
        }
        other => panic!("two lengths: {other:?}"),
    };
    Some((request, rest))
}

/// The trailers of a body that is whole, and what comes after it.
fn chunks(mut bytes: &[u8]) -> Option<(Fields, &[u8])> {
    loop {
        let (size, rest) = until(bytes, b"\r\n")?;
        let size = usize::from_str_radix(&text(size), 16).expect("a size alone");
        if size == 0 {
            if let Some(after) = rest.strip_prefix(b"\r\n") {
                return Some((Vec::new(), after));
            }
            let (trailers, after) = until(rest, b"\r\n\r\n")?;
            return Some((fields(&text(trailers)), after));
        }
        let end = rest.get(size..size + 2)?;
        assert_eq!(end, b"\r\n", "a chunk ends");
        bytes = &rest[size + 2..];
    }
}

fn fields(lines: &str) -> Fields {
    let lines = lines.split("\r\n").filter(|line| !line.is_empty());
    let pairs = lines.map(|line| {
        assert!(!line.contains(['\r', '\n', '\0']), "{line:?}");
        let (name, value) = line.split_once(':').expect("a header");
        assert!(!name.is_empty() && !name.contains([' ', '\t']), "{line:?}");
        let value = value.trim_matches([' ', '\t']);
        (name.to_ascii_lowercase(), value.to_owned())
    });
    pairs.collect()
}

/// ISO 8859-1.
fn text(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// What stands before a mark and after it.
fn until<'a>(bytes: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = bytes.windows(mark.len()).position(|part| part == mark)?;
    Some((&bytes[..at], &bytes[at + mark.len()..]))
}
