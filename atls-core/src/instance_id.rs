//! The identity of a machine, as its Evidence states it.

use std::fmt;

/// The identity of a machine, or of one start of it, as its verified Evidence states it.
///
/// | kind | bytes | of what |
/// |---|---|---|
/// | `azure.vm_unique_id` | text | the VM, as its paravisor spells it |
/// | `cca.instance_id`, `psa.instance_id`, `sim.instance_id` | 33 | the device, its attestation key in truth |
/// | `nitro.module_id` | text | the enclave, from its start to its end |
/// | `snp.chip_id` | 64 | the processor |
/// | `snp.report_id` | 32 | the guest, from its launch to its end |
/// | `tdx.ppid`, `sgx.ppid` | 16 | the processor, or what it was provisioned as |
/// | `tpm.ak` | text | the attestation key, by its name in the file of keys |
///
/// It identifies a device, so `Debug` leaves the value out and nothing logs it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct InstanceId {
    kind: &'static str,
    value: Box<[u8]>,
}

impl InstanceId {
    /// Most bytes of a value.
    pub const MAX: usize = 256;

    /// `None` for a value that tells nothing apart: none, or all zero, as firmware that masks it says; and for one of more than
    /// [`MAX`](Self::MAX) bytes.
    pub fn new(kind: &'static str, value: &[u8]) -> Option<Self> {
        let tells = value.iter().any(|byte| *byte != 0) && value.len() <= Self::MAX;
        tells.then(|| Self {
            kind,
            value: value.into(),
        })
    }

    /// Its kind, such as `snp.chip_id`.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Its bytes.
    pub fn value(&self) -> &[u8] {
        &self.value
    }
}

impl fmt::Debug for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstanceId")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// The identities that two verifiers state about the same Evidence: those of both, or of the one that states any.
pub(crate) fn same_instances(one: &[InstanceId], other: &[InstanceId]) -> Vec<InstanceId> {
    match (one, other) {
        ([], only) | (only, []) => only.to_vec(),
        (one, other) => one
            .iter()
            .filter(|id| other.contains(id))
            .cloned()
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(value: &[u8]) -> InstanceId {
        InstanceId::new("test", value).unwrap()
    }

    #[test]
    fn a_value_that_tells_nothing_apart_is_no_identity() {
        for nobody in [&[][..], &[0; 64], &[1; InstanceId::MAX + 1]] {
            assert_eq!(InstanceId::new("snp.chip_id", nobody), None);
        }
        assert!(InstanceId::new("snp.chip_id", &[1; InstanceId::MAX]).is_some());
    }

    #[test]
    fn it_is_not_printed() {
        assert_eq!(
            format!("{:?}", id(&[7])),
            r#"InstanceId { kind: "test", .. }"#
        );
    }

    #[test]
    fn of_two_verifiers_both_must_state_it_unless_one_states_none() {
        let (one, other) = ([id(&[1]), id(&[2])], [id(&[2]), id(&[3])]);
        assert_eq!(same_instances(&one, &other), [id(&[2])]);
        assert_eq!(same_instances(&one, &[]), one);
        assert_eq!(same_instances(&[], &other), other);
        assert!(same_instances(&one[..1], &other).is_empty());
    }
}
