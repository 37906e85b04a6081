//! The table of known instances, of all platforms.

use std::fmt;
use std::sync::OnceLock;

use atls_core::PolicyViolation;
use atls_core::policy::Candidate;
use atls_core::policy::Policy;
use atls_core::policy::instance::InstanceId;
use atls_core::policy::instance::KnownInstances;
use serde::Deserialize;

use crate::live::Live;
use crate::problem::FieldProblem;
use crate::table::Table;

/// The machines that are known, as a table of the common file. It is a [`Policy`] of relying parties, on every platform.
///
/// ```
/// use atls_reference::{Instances, from_toml};
///
/// let file = r#"
///     version = 1
///
///     [[instances.known]]
///     name = "rack 3, node 7"
///     kind = "tdx.ppid"
///     id = "000102030405060708090a0b0c0d0e0f"
///
///     [[instances.known]]
///     name = "enclave of the payment service, since Monday"
///     kind = "nitro.module_id"
///     text = "i-0123456789abcdef0-enc0123456789abcdef"
/// "#;
/// let instances: Instances = from_toml(file)?;
/// # fn example(builder: atls_core::RelyingPartyBuilder, instances: Instances) -> atls_core::RelyingPartyBuilder {
/// builder.policy(instances)
/// # }
/// # Ok::<(), atls_reference::ReferenceError>(())
/// ```
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instances {
    known: Vec<Known>,
    #[serde(skip)]
    policy: OnceLock<KnownInstances>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    name: String,
    kind: String,
    id: Option<String>,
    text: Option<String>,
}

impl Known {
    /// The bytes of its identity.
    ///
    /// # Errors
    /// The field that is wrong, the problem, and its cure.
    fn value(&self) -> Result<Vec<u8>, (&'static str, String)> {
        let kind = self.kind.as_str();
        let Some((_, form)) = KINDS.iter().find(|(known, _)| *known == kind) else {
            let known: Vec<_> = KINDS.iter().map(|(known, _)| *known).collect();
            let problem = format!("unknown kind; expected one of {}", known.join(", "));
            return Err(("kind", problem));
        };
        let (field, value) = match (form, &self.id, &self.text) {
            (Form::Bytes(length), Some(id), None) => {
                let value = hexadecimal(id).filter(|value| value.len() == *length);
                let digits = length.saturating_mul(2);
                let problem = || ("id", format!("{kind} has {digits} hexadecimal digits"));
                ("id", value.ok_or_else(problem)?)
            }
            (Form::Text, None, Some(text)) => ("text", text.as_bytes().to_vec()),
            (Form::Bytes(_), _, text) => {
                let field = if text.is_some() { "text" } else { "id" };
                let problem = format!("{kind} is given by id, in hexadecimal, alone");
                return Err((field, problem));
            }
            (Form::Text, id, _) => {
                let field = if id.is_some() { "id" } else { "text" };
                return Err((field, format!("{kind} is given by text alone")));
            }
        };
        match InstanceId::new("", &value) {
            Some(_) => Ok(value),
            None => {
                let problem = "an identity that is empty, all zero or too long is nobody's";
                Err((field, problem.to_owned()))
            }
        }
    }
}

/// How the identity of a kind is written.
#[derive(Clone, Copy)]
enum Form {
    /// So many bytes.
    Bytes(usize),
    Text,
}

impl Instances {
    /// The names that the file has for them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.known.iter().map(|known| known.name.as_str())
    }

    fn policy(&self) -> &KnownInstances {
        self.policy.get_or_init(|| {
            // The check has refused values that are none.
            let known = self.known.iter();
            let known = known.filter_map(|known| Some((&known.kind, known.value().ok()?)));
            known.fold(KnownInstances::new(), |policy, (kind, value)| {
                policy.with(kind, value)
            })
        })
    }
}

impl Table for Instances {
    const NAME: &'static str = "instances";

    fn check(&self) -> Result<(), FieldProblem> {
        if self.known.is_empty() {
            let problem = "nobody is known, so everybody would be refused; add [[instances.known]]";
            return Err(FieldProblem::new("known", problem));
        }
        for (position, known) in self.known.iter().enumerate() {
            if let Err((field, problem)) = known.value() {
                return Err(FieldProblem::new(
                    format!("known[{position}].{field}"),
                    problem,
                ));
            }
        }
        Ok(())
    }
}

impl Policy for Instances {
    fn check(&self, candidate: &Candidate) -> Result<(), PolicyViolation> {
        self.policy().check(candidate)
    }
}

/// The table that is in force when the peer comes. A refusal has its place.
impl Policy for Live<Instances> {
    fn check(&self, candidate: &Candidate) -> Result<(), PolicyViolation> {
        let table = self.current();
        table.policy().check(candidate).map_err(|violation| {
            // Where another one would be added.
            match self.place(&table, "known") {
                Some(place) => violation.with_place(place),
                None => violation,
            }
        })
    }
}

/// Prints how many are known, not which: they identify machines.
impl fmt::Debug for Instances {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instances")
            .field("known", &self.known.len())
            .finish_non_exhaustive()
    }
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let byte = |[high, low]: &[u8; 2]| {
        let value = digit(*high)?.checked_mul(16)?.checked_add(digit(*low)?)?;
        u8::try_from(value).ok()
    };
    rest.is_empty().then_some(())?;
    pairs.iter().map(byte).collect()
}

/// The kinds that platforms state; [`InstanceId`] has a table of them.
const KINDS: [(&str, Form); 10] = [
    ("azure.vm_unique_id", Form::Text),
    ("cca.instance_id", Form::Bytes(33)),
    ("nitro.module_id", Form::Text),
    ("psa.instance_id", Form::Bytes(33)),
    ("sgx.ppid", Form::Bytes(16)),
    ("sim.instance_id", Form::Bytes(33)),
    ("snp.chip_id", Form::Bytes(64)),
    ("snp.report_id", Form::Bytes(32)),
    ("tdx.ppid", Form::Bytes(16)),
    ("tpm.ak", Form::Text),
];
