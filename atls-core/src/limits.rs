//! Every limit on the messages and resources of a peer, with its unit and its reason.

use std::time::Duration;

/// Largest payload of one frame, in bytes. An authenticator is the largest message: 64 KiB of CMW
/// and a chain of certificates.
pub const MAX_FRAME: usize = 128 * 1024;

/// Most bytes that an end keeps of what its peer sends while this end makes Evidence. There is little to say then: a peer that is
/// hasty sends a verdict or the head of a request. The rest stays in the socket.
pub const MAX_EARLY: usize = 4096;

/// Most certificates in an authenticator. Public chains have 2 to 4.
pub const MAX_CHAIN: usize = 8;

/// Most extensions in one request or one certificate entry. The protocol uses three; a peer may offer others, which are
/// ignored.
pub const MAX_EXTENSIONS: usize = 32;

/// Most authenticator requests on one connection, both directions together. One exchange has two; the rest is room for
/// attesting again on a long connection. It bounds the memory of spent contexts.
pub const MAX_REQUESTS: usize = 64;

/// Most findings that one result holds. A platform makes some thirty checks; the rest is room for several verifiers.
pub const MAX_FINDINGS: usize = 128;

/// Most media types in `attestation_parameters`.
pub const MAX_FORMATS: usize = 64;

/// Most CBOR items in `attestation_parameters`: 64 media types, and room for keys of later versions.
pub const MAX_PARAMETER_VALUES: usize = 256;

/// Largest CMW, in bytes. The extensions of a certificate entry share 65,535; the header of `cmw_attestation` takes 4 of
/// them and the vector within another 2. Other extensions of the entry leave less room: see
/// [`Challenge::answer`](crate::exchange::Challenge::answer).
pub const MAX_CMW: usize = 65_529;

/// Most records and tags in a CMW. Composite devices have a handful of parts: CPU, GPUs, vTPM.
pub const MAX_CMW_ITEMS: usize = 8;

/// Most collections of a CMW within each other. One per level of a composite device.
pub const MAX_CMW_DEPTH: usize = 4;

/// Longest text label in a collection of a CMW, in bytes. Labels are names such as `cpu`; an item's path repeats those of
/// all collections around it.
pub const MAX_CMW_LABEL: usize = 128;

/// Most values in the encoding of a CMW: 8 items, each alone in 4 typed collections, have 160.
pub const MAX_CMW_VALUES: usize = 256;

/// Most connections that share Evidence in one batch. The inclusion proof of each then has at most 16 hashes.
pub const MAX_BATCH: u32 = 65_536;

/// Largest Evidence of a batch, in bytes of CBOR. An answer with parameters has 65,518; the proof takes 574 of them: 524 itself, 41
/// for its media type and 9 for the collection.
pub const MAX_EVIDENCE_OF_BATCH: usize = 64_944;

/// Most bytes of a certificate that carries Evidence, since `webpki` reads no larger one: 65,534, and four for their tag and
/// length in DER.
pub const MAX_CERTIFICATE: usize = 65_538;

/// Most DER elements in a certificate. One with 100 names has about 300, an Intel PCK certificate about 200; the
/// parsed form of an element takes up to 200 bytes.
pub const MAX_CERTIFICATE_VALUES: usize = 1024;

/// Most DER elements in a certificate revocation list: 9,300 revoked certificates, each with a date and a reason. Those of Intel and AMD
/// have some dozens; a day on which many are revoked is not to refuse all others. The parsed form of an element takes up to 200 bytes.
pub const MAX_REVOCATION_VALUES: usize = 65_536;

/// Most values in the header of a JWS or COSE message. Usual ones have 2 to 6; the rest is room for a chain of
/// certificates.
pub const MAX_HEADER_VALUES: usize = 64;

/// Most bytes of a signed result that is kept with its connection, to be handed on in an HTTP header. Servers take headers of
/// 8 KiB or more.
pub const MAX_KEPT_TOKEN: usize = 7 * 1024;

/// Most values in the claims of a token. An Attestation Result that repeats a whole event log has about 3,000; the
/// parsed form of a value takes up to 250 bytes.
pub const MAX_TOKEN_VALUES: usize = 4096;

/// Most bytes of a JWK set. One with 256 keys, each with a certificate, has less.
pub const MAX_KEY_SET: usize = 1024 * 1024;

/// Most keys in a JWK set. Issuers publish 1 to 20.
pub const MAX_KEYS: usize = 256;

/// Most values in a JWK. Usual ones have 10 to 20; the rest is room for a chain of certificates.
pub const MAX_KEY_VALUES: usize = 128;

/// Most values in a JWK set: 32 for each key.
pub const MAX_KEY_SET_VALUES: usize = 8192;

/// Longest identifier of a key, in bytes. Usual ones are the digest of a key in text.
pub const MAX_KEY_ID: usize = 1024;

/// Length of a `certificate_request_context` of this end, in bytes. 256 random bits do not repeat and cannot be guessed.
pub const CONTEXT_LENGTH: usize = 32;

/// Length of the nonce of an intra-handshake challenge, in bytes. It is that of a `client_random`.
pub const NONCE_LENGTH: usize = 32;

/// Greatest age of an Attestation Result that a relying party accepts by default.
pub const DEFAULT_MAX_AGE: Duration = Duration::from_secs(60 * 60);

/// Greatest lead of a verifier's clock over this end's clock.
pub const CLOCK_SKEW: Duration = Duration::from_secs(60);

/// Longest time for TLS handshake, exchange and appraisal of one connection together.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(10);

/// Longest time to connect a socket, shared by the addresses that a name has: one that drops what is sent to it leaves time for the
/// next one, and for what follows within [`DEFAULT_DEADLINE`].
pub const DEFAULT_CONNECT: Duration = Duration::from_secs(5);

/// Longest wait of a server for the first byte after the TLS handshake. Clients of this protocol
/// speak at once; ordinary HTTP clients may connect ahead of need.
pub const DEFAULT_FIRST_BYTE: Duration = Duration::from_secs(5);

/// Longest time from the end of the exchange to the first complete head of a request. Clients may connect ahead of
/// need; a client that comes later connects anew.
pub const DEFAULT_FIRST_REQUEST: Duration = Duration::from_secs(30);

/// Longest time without a request on a connection that had one, from the end of the last answer to the complete head of
/// the next request. Pools of clients, hyper's and reqwest's among them, drop connections after 90 seconds; a server
/// that waits longer never closes a connection just when a client uses it.
pub const DEFAULT_IDLE: Duration = Duration::from_secs(120);

/// Longest time for a client to take 64 KiB of what is sent to it, or what there is: some 1 KiB a second.
pub const DEFAULT_UNREAD: Duration = Duration::from_secs(60);

/// Longest wait for the next bytes of a request's body before the request is answered.
pub const DEFAULT_REQUEST_BODY: Duration = Duration::from_secs(60);

/// Longest time in which a stream that is shut down sends its last bytes and `close_notify`.
pub const MAX_CLOSING: Duration = Duration::from_secs(10);

/// Longest time in which a server says why it refuses a connection, and takes what its client still sends.
pub const MAX_FAREWELL: Duration = Duration::from_secs(1);

/// Longest time for an ordinary HTTPS client, which is not served, to send a request and take the refusal.
pub const MAX_REFUSAL: Duration = Duration::from_secs(5);

/// Most ordinary HTTPS clients that are told at once why they are not served; others are closed without a word.
pub const MAX_REFUSALS: usize = 64;

/// Longest time in which the connections of a server finish once it was told to stop.
pub const DEFAULT_SHUTDOWN: Duration = Duration::from_secs(30);

/// Most connections that a server holds between accept and the first request.
pub const DEFAULT_PENDING: usize = 1024;

/// Most connections that a server holds at all: 16 for each that may be pending, some 560 MB while they are idle. A server that has more
/// names its own number.
pub const DEFAULT_CONNECTIONS: usize = 16 * DEFAULT_PENDING;

/// Most requests of one connection of HTTP/2 at a time. RFC 9113 §6.5.2 recommends no fewer, and clients wait with further ones.
pub const DEFAULT_STREAMS: u32 = 100;

/// Most bytes of request bodies that one connection of HTTP/2 holds unread.
pub const DEFAULT_WINDOW: u32 = 1024 * 1024;

/// Most bytes of one request's body that are held unread, in HTTP/2: four requests fill the window of their connection.
pub const DEFAULT_STREAM_WINDOW: u32 = 256 * 1024;

/// Longest time before the end of its attestation from which a connection takes no further requests, so that a client has
/// attested anew before the old attestation ends. It is a tenth of the time that the attestation was valid for, where that
/// is less.
pub const MAX_DRAIN_LEAD: Duration = Duration::from_secs(30);

/// How often the stream of an idle connection looks at the clock, which may have been set forward, or have run on while the machine
/// slept. One wake-up; the timer is that of the connection's end.
pub const CLOCK_LOOK: Duration = Duration::from_secs(60);

/// Longest time that a connection goes on after its attestation expired, so that answers under way arrive.
pub const DEFAULT_GRACE: Duration = Duration::from_secs(10);

/// Most attestations of its own that a server makes at once. Waits for a peer do not count.
pub const DEFAULT_ATTESTATIONS: usize = 512;

/// Most handshakes at once in which a server's device makes Evidence. Such a handshake costs a client only a ClientHello, and
/// the device is shared with clients that got further.
pub const DEFAULT_IN_HANDSHAKE: usize = 4;

/// Longest time that a connection waits for a device on a thread of its own, queue and device together. It is less than a
/// connection has.
pub const DEFAULT_DEVICE_DEADLINE: Duration = Duration::from_secs(8);

/// Longest time that a device works for one batch: less than half of what a connection has, since a connection may also wait for
/// the batch before its own.
pub const DEFAULT_BATCH_DEADLINE: Duration = Duration::from_secs(4);

/// Most connections that wait for the next batch. A device that takes a second then serves some 4,000 a second.
pub const DEFAULT_WAITING: usize = 4096;

/// Most connections that wait for Evidence of their own, since their peers take no batches. Each costs a turn of the device.
pub const DEFAULT_SINGLES: usize = 16;

/// Most appraisals that a server runs at once; they may cost a verifier's time or network.
pub const DEFAULT_APPRAISALS: usize = 64;

/// Longest time that an appraisal is used again for the same Evidence. The connections of one batch come within seconds.
pub const DEFAULT_KEPT_AGE: Duration = Duration::from_secs(60);

/// Most appraisals that are kept. One serves a whole batch.
pub const DEFAULT_KEPT_RESULTS: usize = 256;

/// Most bytes of Evidence for which appraisals are kept.
pub const DEFAULT_KEPT_BYTES: usize = 8 * 1024 * 1024;
