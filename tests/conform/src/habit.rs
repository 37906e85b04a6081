//! The ways in which a peer as a whole may be wrong, beyond one message.

use atls_core::session::Side;

use crate::twist::slug;

macro_rules! habits {
    ($($name:ident $sides:tt $rule:literal $title:literal;)*) => {
        /// Something that a peer must not do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Habit {
            $(#[doc = $title] $name,)*
        }

        impl Habit {
            /// In the order of the page.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Whether a peer of this side can have it.
            pub fn is_of(self, side: Side) -> bool {
                match self { $(Self::$name => is_of(stringify!($sides), side)),* }
            }

            /// The number of the sentence that it breaks.
            pub fn rule(self) -> &'static str {
                match self { $(Self::$name => $rule),* }
            }

            /// Third person: what the peer does.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title),* }
            }

            fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),* }
            }
        }
    };
}

habits! {
    TakesTls12 both "P1.1" "completes a handshake of TLS 1.2";
    Resumes server "P1.2" "resumes a session";
    OffersResumption client "P1.2" "offers a session to resume";
    SendsTickets server "P1.3" "sends a ticket";
    EndsOnTicket client "P1.6" "ends a connection on which a ticket arrives";
    TakesEarlyData server "P1.4" "takes early data";
    SendsEarlyData client "P1.4" "sends early data";
    TakesUntrusted client "P1.5" "takes a server's certificate of an unknown authority";
    TakesOtherName client "P1.5" "takes a server's certificate for another name";

    WaitsForLongFrame both "P2.1" "waits for the payload of a frame of 131,073 bytes";
    TakesLongFrame both "P2.1" "takes a frame of more than 131,072 bytes";
    TakesUnknownFrame both "P2.2" "takes a frame of type 9";
    NeedsWholeFrames both "P2.3" "needs a frame in one piece";

    SignsByForbidden both "P3.4" "signs although only schemes are offered that TLS 1.3 does not allow";
    ReusesContext both "P3.10" "makes requests with the same context";
    KnowsOnlySha256 both "P4.11" "computes by SHA-256 under a suite of SHA-384";
    SelectsUnasked server "P4.4" "puts a selection into an answer to a request without parameters";
    AnswersOtherFormat both "P6.7" "presents Evidence of a type that was not listed";

    SendsMalformedVerdict both "P7.1" "sends a verdict of six bytes";
    TakesShortVerdict both "P7.1" "goes on after a verdict of four bytes";
    TakesLongVerdict both "P7.1" "goes on after a verdict of six bytes";
    TakesTimedRefusal both "P7.1" "goes on after a refusal with a validity";
    TakesAcceptingVerdict client "P7.2" "takes an accepting verdict for an authenticator";
    IgnoresRefusal both "P7.3" "goes on after a verdict of code 2";
    IgnoresOtherRefusal both "P7.3" "goes on after a verdict of code 200";

    OpensWithHttp client "P8.1" "opens with HTTP";
    TakesAnswerFirst server "P8.1" "goes on with a client that opens with an authenticator";
    IgnoresUnwanting server "P8.2" "gives no valid authenticator to a client that wants no attestation";
    WritesHttpEarly client "P8.3" "writes HTTP before the server's authenticator";
    AsksLate server "P8.4" "sends its request after its authenticator";
    AsksUnable server "P8.5" "asks a client that cannot attest";
    AsksOutOfOrder server "P8.5" "asks for order 2 although the client offered 1";
    AnswersUnable client "P8.12" "goes on although it is asked and offered not to attest";
    AnswersOutOfOrder client "P8.12" "attests in order 2 although it offered 1";
    AttestsToUnpassed client "P8.6" "attests to a server that did not pass";
    AsksMinimal server "P8.7" "asks a client that sent no parameters";
    OmitsVerdict both "P8.8" "sends no verdict where one is due";
    WritesHttpBeforeVerdict client "P8.9" "writes HTTP before the verdict on its own authenticator";
    TakesSecondRequest both "P8.10" "goes on after a second request";
    TakesLateRequest client "P8.11" "answers a request behind the authenticator";
    TakesHttpForAnswer server "P8.11" "serves HTTP in place of a client's authenticator";
    StaysOpen both "P10.1" "keeps a connection open after an error";
    OmitsRefusal both "P10.2" "refuses Evidence without a verdict";
    OmitsEmpty server "P10.2" "sends no empty authenticator where it has no Evidence of a listed type";
}

impl Habit {
    /// Its name in reports.
    pub fn slug(self) -> String {
        slug(self.name())
    }
}

fn is_of(sides: &str, side: Side) -> bool {
    sides == "both" || sides == side.to_string()
}
