//! What both broken peers share: how they judge and what they write.

use crate::breach::Breach;
use crate::habit::Habit;
use crate::judge::Examined;
use crate::party::ACCEPTED;
use crate::party::Party;
use crate::twist::Duty;
use crate::twist::Place;
use crate::twist::Twist;
use crate::wire::VERDICT;
use crate::wire::request::Request;
use crate::wire::request_draft::Map;

/// All rules but at most one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manners {
    pub(super) breach: Option<Breach>,
    pub(super) demands: bool,
}

impl Manners {
    pub(super) fn has(self, habit: Habit) -> bool {
        self.breach == Some(Breach::Does(habit))
    }

    /// The habit of reading, for [`Party`].
    pub(super) fn habit(self) -> Option<Habit> {
        match self.breach {
            Some(Breach::Does(habit)) => Some(habit),
            _ => None,
        }
    }

    /// The twist of a message of this kind that the peer sends.
    pub(super) fn sent(self, in_request: bool) -> Option<Twist> {
        match self.breach {
            Some(Breach::Sends(twist)) => {
                let is_request = matches!(twist.place(), Place::Request | Place::Parameters);
                (is_request == in_request).then_some(twist)
            }
            _ => None,
        }
    }

    fn takes(self, twist: Twist) -> bool {
        let right = match twist {
            Twist::Empty | Twist::Plain if !self.demands => true,
            _ => twist.duty() == Duty::Accept,
        };
        right != (self.breach == Some(Breach::Misjudges(twist)))
    }

    pub(super) fn takes_all(self, twists: &[Twist]) -> bool {
        twists.iter().all(|twist| self.takes(*twist))
    }

    /// Whether an authenticator is refused for what it attests and not for its form.
    pub(super) fn is_appraised(examined: &Examined) -> bool {
        examined
            .twists
            .iter()
            .all(|twist| twist.duty() == Duty::Accept || matches!(twist.place(), Place::Binding))
    }

    /// Whether the connection goes on after this verdict.
    pub(super) fn takes_verdict(self, verdict: &[u8]) -> bool {
        match verdict {
            [0, _, _, _, _] => true,
            [2, 0, 0, 0, 0] => self.has(Habit::IgnoresRefusal),
            [200, 0, 0, 0, 0] => self.has(Habit::IgnoresOtherRefusal),
            [_, _, _, _] => self.has(Habit::TakesShortVerdict),
            [_, _, _, _, _] => self.has(Habit::TakesTimedRefusal),
            [_, _, _, _, _, _] => self.has(Habit::TakesLongVerdict),
            _ => false,
        }
    }

    /// The verdict on a good authenticator, if the peer's selection asks for one.
    pub(super) async fn accept(self, party: &mut Party, examined: &Examined) {
        if examined.verdicts && !self.has(Habit::OmitsVerdict) {
            let long = [&ACCEPTED[..], &[0]].concat();
            let verdict = match self.has(Habit::SendsMalformedVerdict) {
                true => &long[..],
                false => &ACCEPTED,
            };
            party.write(VERDICT, verdict).await;
        }
    }

    /// The last frame to a peer whose attestation is refused.
    pub(super) async fn refuse(self, party: &mut Party, examined: &Examined) {
        if examined.verdicts && Self::is_appraised(examined) && !self.has(Habit::OmitsRefusal) {
            party.write(VERDICT, &[2, 0, 0, 0, 0]).await;
        }
    }

    /// Its answer, or none where it has to end the connection.
    pub(super) fn answer(self, party: &Party, request: &Request) -> Option<Vec<u8>> {
        let mut request = request.clone();
        if self.has(Habit::SignsByForbidden) && !request.schemes.contains(&0x0403) {
            request.schemes.push(0x0403);
        }
        let twist = match self.has(Habit::KnowsOnlySha256) && is_sha384(party) {
            true => Some(Twist::FlippedMac),
            false => self.sent(false),
        };
        party.answer(&request, twist).ok()
    }

    /// Whether the Evidence of this peer is of a type that the request lists, or it does not mind.
    pub(super) fn suits(self, request: &Request, own: &[String]) -> bool {
        let normal = crate::evidence::normal;
        let listed = request.parameters.as_ref().map(|offer| &offer.formats);
        listed.is_none_or(|listed| {
            listed.is_empty()
                || own
                    .iter()
                    .any(|own| listed.iter().any(|one| normal(one) == normal(own)))
        }) || self.has(Habit::AnswersOtherFormat)
    }

    /// Leaves out what the case wants not to be offered.
    pub(super) fn offer(self, parameters: &mut Map) {
        match self.breach {
            Some(Breach::Misjudges(Twist::UnofferedBatch)) => parameters.set(3, false),
            Some(Breach::Misjudges(Twist::UnofferedVerdicts)) => parameters.set(4, false),
            _ => {}
        }
    }

    /// What a request of this peer repeats of the one before.
    pub(super) fn context(self, fresh: Vec<u8>) -> Vec<u8> {
        match self.has(Habit::ReusesContext) {
            true => vec![7; 32],
            false => fresh,
        }
    }
}

fn is_sha384(party: &Party) -> bool {
    use atls_core::session::Session;
    let suite = party.link.handshake().suite();
    suite.common.hash_provider.output_len() == 48
}
