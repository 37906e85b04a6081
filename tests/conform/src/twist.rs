//! The ways in which one message may be unusual: wrong by a rule of docs/protocol.md, or odd and still right.
//!
//! The kit sends a message with one twist and sees what its peer makes of it; it looks for twists in what the peer sends. A broken
//! peer sends one, or judges one wrongly.

/// What a peer must do about a twist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    Accept,
    Refuse,
}

/// The message that has a twist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A request.
    Request,
    /// The parameters in a request.
    Parameters,
    /// An authenticator.
    Authenticator,
    /// The selection in an authenticator.
    Selection,
    /// The CMW in an authenticator.
    Cmw,
    /// The value that the Evidence carries.
    Binding,
    /// The proof beside Evidence of a batch.
    Batch,
}

macro_rules! twists {
    ($($name:ident $place:ident $duty:ident $rule:literal $title:literal;)*) => {
        /// One unusual thing in one message.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Twist {
            $(#[doc = $title] $name,)*
        }

        impl Twist {
            /// In the order of the page.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            pub fn place(self) -> Place {
                match self { $(Self::$name => Place::$place),* }
            }

            pub fn duty(self) -> Duty {
                match self { $(Self::$name => Duty::$duty),* }
            }

            /// The number of the sentence that it is about.
            pub fn rule(self) -> &'static str {
                match self { $(Self::$name => $rule),* }
            }

            /// A noun phrase.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title),* }
            }

            fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),* }
            }
        }
    };
}

twists! {
    OtherSideRequest Request Refuse "P3.1" "a request of the other side's type";
    RequestCut Request Refuse "P3.2" "a request whose length goes beyond its end";
    RequestTrailing Request Refuse "P3.2" "a byte after the request";
    NoSchemes Request Refuse "P3.3" "a request without signature_algorithms";
    EmptySchemes Request Refuse "P3.3" "signature_algorithms without a scheme";
    FilledOffer Request Refuse "P3.5" "a request whose cmw_attestation is not empty";
    TwinInRequest Request Refuse "P3.6" "an extension that stands twice in a request";
    ManyInRequest Request Refuse "P3.7" "33 extensions in a request";
    ServerNameOfServer Request Refuse "P3.8" "server_name in a server's request";
    UnknownInRequest Request Accept "P3.9" "an unknown extension in a request";
    EmptyContext Request Accept "P3.11" "an empty context";
    LongContext Request Accept "P3.11" "a context of 255 bytes";
    SpentContext Request Refuse "P3.12" "a request with the context of the receiver's own request";

    UnknownKey Parameters Accept "P6.1" "an unknown key in the parameters";
    ParametersTrailing Parameters Refuse "P6.2" "a byte after the parameters";
    RepeatedKey Parameters Refuse "P6.2" "a key that stands twice in the parameters";
    BignumVersion Parameters Refuse "P6.2" "parameters with the version as a bignum";
    DeepParameters Parameters Refuse "P6.2" "parameters nested more than 16 deep";
    ManyParameters Parameters Refuse "P6.2" "parameters of more than 256 values";
    ManyTypes Parameters Refuse "P6.2" "65 media types";
    TypesAsBytes Parameters Refuse "P6.2" "a media type as a byte string";
    VerdictsAsNumber Parameters Refuse "P6.2" "key 4 that is a number";
    WishBeyondTable Parameters Refuse "P6.2" "key 6 or 7 of value 3";
    WithoutVersion Parameters Refuse "P6.3" "parameters without key 1";
    WithoutTypes Parameters Refuse "P6.3" "parameters without key 2";
    WithoutVerdicts Parameters Refuse "P6.3" "parameters without key 4";
    WithoutWish Parameters Refuse "P6.3" "parameters without key 5 or 7";
    WithoutAbility Parameters Refuse "P6.3" "parameters without key 6";
    VersionZero Parameters Refuse "P6.4" "version 0";
    HigherVersion Parameters Accept "P6.5" "a higher version";
    BadProfile Parameters Refuse "P6.2" "a profile whose name has a space";
    OtherProfile Parameters Refuse "P13.2" "a request of another wire profile";
    WantsWithoutOffer Parameters Refuse "P6.6" "a wish for attestation without cmw_attestation";

    Misordered Authenticator Refuse "P4.1" "Finished before CertificateVerify";
    AuthenticatorTrailing Authenticator Refuse "P4.1" "a byte after the authenticator";
    AuthenticatorCut Authenticator Refuse "P4.1" "a Finished whose length goes beyond its end";
    OtherContext Authenticator Refuse "P4.2" "an authenticator with another context";
    NoCertificate Authenticator Refuse "P4.3" "a full authenticator without certificates";
    NineCertificates Authenticator Refuse "P4.3" "nine certificates";
    Unoffered Authenticator Refuse "P4.4" "an extension that was not offered";
    TwinInEntry Authenticator Refuse "P4.5" "cmw_attestation twice in an entry";
    LaterCmw Authenticator Refuse "P4.6" "cmw_attestation in the second entry";
    LaterSelection Authenticator Refuse "P4.6" "attestation_parameters in the second entry";
    UnofferedScheme Authenticator Refuse "P4.7" "a scheme that was not offered";
    UnfitScheme Authenticator Refuse "P4.8" "a scheme that does not fit the key";
    Pkcs1 Authenticator Refuse "P4.9" "a signature of PKCS #1 v1.5";
    BadSignature Authenticator Refuse "P4.10" "a signature with one bit flipped";
    FlippedMac Authenticator Refuse "P4.11" "a MAC with one bit flipped";
    CutMac Authenticator Refuse "P4.11" "the first 16 bytes of the MAC";
    OtherSideMac Authenticator Refuse "P4.11" "a MAC with the labels of the other side";
    OtherKey Authenticator Refuse "P4.13" "another key than that of the TLS handshake";
    Empty Authenticator Refuse "P4.14" "an empty authenticator where attestation is demanded";
    ForgedEmpty Authenticator Refuse "P4.15" "an empty authenticator with another MAC";
    Plain Authenticator Refuse "P5.1" "an authenticator without cmw_attestation where attestation is demanded";
    EmptyCmw Authenticator Refuse "P5.1" "cmw_attestation of length 0";
    CmwVectorTrailing Authenticator Refuse "P5.1" "a byte after the vector of cmw_attestation";

    SelectionUnknownKey Selection Accept "P6.1" "an unknown key in the selection";
    SelectionTrailing Selection Refuse "P6.2" "a byte after the selection";
    SelectionWithoutVersion Selection Refuse "P6.3" "a selection without key 1";
    SelectionWithoutVerdicts Selection Refuse "P6.3" "a selection without key 4";
    SelectionVersion Selection Refuse "P6.8" "a selection of version 2";
    UnofferedVerdicts Selection Refuse "P6.8" "a selection of verdicts that were not offered";
    UnofferedBatch Selection Refuse "P5.1.1" "Evidence of a batch that was not offered";
    NoSelection Selection Accept "P6.9" "an answer without selection";

    JsonCmw Cmw Accept "P5.2" "a CMW in JSON";
    CollectionCmw Cmw Accept "P5.2" "a CMW that is a collection of one record";
    NineItems Cmw Refuse "P5.3" "a CMW of nine items";
    FiveDeep Cmw Refuse "P5.3" "collections five deep";
    LongLabel Cmw Refuse "P5.3" "a label of 129 bytes";
    ManyValues Cmw Refuse "P5.3" "a CMW of more than 256 values";
    RepeatedLabel Cmw Refuse "P5.4" "a label that stands twice";
    BignumIndicator Cmw Refuse "P5.4" "an indicator that is a bignum";
    PaddedBase64 Cmw Refuse "P5.4" "padded base64";
    ZeroIndicator Cmw Refuse "P5.4" "an indicator of 0";
    BadCollectionType Cmw Refuse "P5.4" "a __cmwc_t that is neither URI nor OID";
    CmwTrailing Cmw Refuse "P5.4" "a byte after the CMW";
    MixedIndicator Cmw Refuse "P5.7" "a record that is Evidence and Attestation Result at once, and nothing else";
    UnknownItem Cmw Refuse "P5.7" "a second item of a media type that nobody appraises";
    OtherFormat Cmw Refuse "P6.7" "Evidence of a media type that was not listed";

    OtherBinder Binding Refuse "P5.5" "Evidence over another value";
    PaddedBinder Binding Refuse "P5.6" "Evidence over the binder and zeros behind it";
    PrefixBinder Binding Refuse "P5.6" "Evidence over the first bytes of the binder";
    UnboundItem Binding Refuse "P5.7" "a second item over another value";

    OfBatch Batch Accept "P5.1.2" "Evidence of a batch";
    LooseBatch Batch Refuse "P5.1.3" "Evidence of a batch in CBOR that is not deterministic";
    JsonBatch Batch Refuse "P5.1.3" "Evidence of a batch in JSON";
    ThirdMember Batch Refuse "P5.1.4" "a third member beside Evidence and proof";
    TypedBatch Batch Refuse "P5.1.4" "a __cmwc_t beside Evidence and proof";
    MarkedProof Batch Refuse "P5.1.4" "an indicator at the proof";
    NestedProof Batch Refuse "P5.1.5" "a proof within the Evidence";
    UnsaidProof Batch Refuse "P5.1.5" "a proof where the selection says nothing of a batch";
    BatchWithoutProof Batch Refuse "P5.1.4" "a selection of a batch and no proof";
    SizeOne Batch Refuse "P5.1.7" "a batch of one";
    SizeBeyond Batch Refuse "P5.1.7" "a batch of 65,537";
    IndexBeyond Batch Refuse "P5.1.7" "an index that is not below the size";
    ShortPath Batch Refuse "P5.1.7" "a path that lacks a hash";
    LongPath Batch Refuse "P5.1.7" "a path with a hash too many";
    ProofTrailing Batch Refuse "P5.1.7" "a byte after the proof";
    OtherLeaf Batch Refuse "P5.1.8" "a batch of other connections";
}

impl Twist {
    /// Its name in reports: lower case, words apart.
    pub fn slug(self) -> String {
        slug(self.name())
    }
}

/// `CamelCase` as `camel-case`.
pub(crate) fn slug(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.extend(letter.to_lowercase());
    }
    out
}
