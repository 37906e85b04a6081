//! The trustworthiness vector: registers and a policy go in, all eight claims come out.

use atls_core::ear::Category;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_reference::Digest;

use crate::claims;
use crate::image::NitroImage;
use crate::policy::NitroPolicy;

/// The registers of one enclave under a policy.
pub(crate) struct RegisterAppraisal<'a> {
    pub(crate) vector: TrustVector,
    pub(crate) software: Software,
    /// The first image that matches in everything.
    pub(crate) image: Option<&'a NitroImage>,
}

/// How well the software is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Software {
    Known,
    Unknown,
    /// The enclave is in debug mode, which measures nothing, and the policy allows that.
    Unmeasured,
}

/// The table in the crate's README, row by row.
pub(crate) fn appraise_registers<'a>(
    policy: &'a NitroPolicy,
    pcrs: &[(u8, Digest<48>)],
) -> RegisterAppraisal<'a> {
    let holds = |(index, value): (u8, Digest<48>)| claims::register(pcrs, index) == Some(&value);
    let recognised = |image: &&NitroImage| image.software().all(holds);
    let there = |image: &&NitroImage| image.instance().all(holds);

    let known = policy.images.iter().any(|image| recognised(&image));
    let image = policy.images.iter().filter(recognised).find(there);

    let instance_identity = match image {
        Some(image) if image.instance().next().is_some() => 2,
        Some(_) => 0,
        // Known software in a place that the policy does not allow.
        None if known => 97,
        None => 0,
    };
    let debug = claims::is_debug(pcrs);
    let configuration = match debug {
        false => 2,
        true if policy.allow_debug => 32,
        true => 96,
    };
    let software = match known {
        true => Software::Known,
        false if debug && policy.allow_debug => Software::Unmeasured,
        false => Software::Unknown,
    };
    let executables = if known { 3 } else { 33 };
    let vector = [
        (Category::InstanceIdentity, instance_identity),
        (Category::Configuration, configuration),
        (Category::Executables, executables),
        (Category::FileSystem, 0),
        (Category::Hardware, 2),
        (Category::RuntimeOpaque, 0),
        (Category::StorageOpaque, 0),
        (Category::SourcedData, 0),
    ]
    .into_iter()
    .fold(TrustVector::new(), |vector, (category, value)| {
        vector.with(category, TrustClaim::new(value))
    });
    RegisterAppraisal {
        vector,
        software,
        image,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_eight_claims_are_made() {
        let appraisal = appraise_registers(&policy(vec![image()]), &measured()).vector;
        let claims: Vec<_> = appraisal.claims().map(|(_, claim)| claim.value()).collect();
        assert_eq!(claims, [0, 2, 3, 0, 2, 0, 0, 0]);
    }

    #[test]
    fn software_is_known_by_every_register_that_an_image_names() {
        let whole = image();
        let by_file = NitroImage {
            pcr0: whole.pcr0,
            ..NitroImage::default()
        };
        let by_parts = NitroImage {
            pcr0: None,
            ..whole.clone()
        };
        let by_signer = NitroImage {
            pcr8: Some(pcr(8)),
            ..NitroImage::default()
        };
        let mut signed = whole.clone();
        signed.pcr8 = Some(pcr(8));
        for (image, registers) in [
            (&whole, &[0, 1, 2][..]),
            (&by_file, &[0]),
            (&by_parts, &[1, 2]),
            (&by_signer, &[8]),
            (&signed, &[0, 1, 2, 8]),
        ] {
            let policy = policy(vec![image.clone()]);
            assert_eq!(executables(&policy, &measured()), 3);
            for changed in 0..16 {
                let expected = if registers.contains(&changed) { 33 } else { 3 };
                let found = executables(&policy, &with(changed, other()));
                assert_eq!(found, expected, "PCR{changed} of {image:?}");
            }
        }
    }

    #[test]
    fn registers_of_two_images_do_not_add_up_to_one() {
        let (mut one, mut two) = (image(), image());
        one.pcr0 = Some(other());
        two.pcr2 = Some(other());
        assert_eq!(
            executables(&policy(vec![one.clone(), two.clone()]), &measured()),
            33
        );
        let appraisal = policy(vec![one, two, image()]);
        let appraisal = appraise_registers(&appraisal, &measured());
        assert_eq!(
            appraisal.image.map(|image| image.name.as_str()),
            Some("known")
        );
    }

    #[test]
    fn a_register_that_the_document_lacks_matches_nothing() {
        let mut signed = image();
        signed.pcr8 = Some(Digest::from([0; 48]));
        let without: Vec<_> = measured()
            .into_iter()
            .filter(|(index, _)| *index != 8)
            .collect();
        assert_eq!(executables(&policy(vec![signed]), &without), 33);
    }

    #[test]
    fn an_instance_is_recognised_only_where_the_policy_names_it() {
        let identity = |images, pcrs: &[_]| {
            let policy = policy(images);
            let appraisal = appraise_registers(&policy, pcrs);
            let claim = appraisal.vector.get(Category::InstanceIdentity).value();
            (claim, appraisal.image.is_some())
        };
        let (mut role, mut instance) = (image(), image());
        role.pcr3 = Some(pcr(3));
        instance.pcr4 = Some(pcr(4));
        assert_eq!(identity(vec![image()], &measured()), (0, true));
        assert_eq!(identity(vec![role.clone()], &measured()), (2, true));
        assert_eq!(identity(vec![instance.clone()], &measured()), (2, true));
        assert_eq!(identity(vec![role.clone()], &with(3, other())), (97, false));
        assert_eq!(
            identity(vec![instance.clone()], &with(4, other())),
            (97, false)
        );
        // Known software elsewhere is accepted where another image allows it there.
        let either = vec![instance.clone(), image()];
        assert_eq!(identity(either, &with(4, other())), (0, true));
        // The place of unknown software does not matter.
        assert_eq!(identity(vec![instance], &with(0, other())), (0, false));
    }

    #[test]
    fn debug_mode_shows_in_the_configuration() {
        let configuration = |policy: &NitroPolicy, pcrs: &[_]| {
            let vector = appraise_registers(policy, pcrs).vector;
            vector.get(Category::Configuration).value()
        };
        let strict = policy(vec![image()]);
        let mut tolerant = strict.clone();
        tolerant.allow_debug = true;
        for index in [0, 1, 2] {
            let debug = with(index, Digest::from([0; 48]));
            assert_eq!(configuration(&strict, &debug), 96);
            assert_eq!(configuration(&tolerant, &debug), 32);
        }
        assert_eq!(configuration(&strict, &measured()), 2);
        assert_eq!(configuration(&tolerant, &measured()), 2);
    }

    fn executables(policy: &NitroPolicy, pcrs: &[(u8, Digest<48>)]) -> i8 {
        let vector = appraise_registers(policy, pcrs).vector;
        vector.get(Category::Executables).value()
    }

    fn policy(images: Vec<NitroImage>) -> NitroPolicy {
        NitroPolicy::new(images)
    }

    fn image() -> NitroImage {
        NitroImage::measured("known", pcr(0), pcr(1), pcr(2))
    }

    /// PCR `n` holds `n + 1`, 48 times.
    fn measured() -> Vec<(u8, Digest<48>)> {
        (0..16).map(|index| (index, pcr(index))).collect()
    }

    fn with(index: u8, value: Digest<48>) -> Vec<(u8, Digest<48>)> {
        let replace = |(at, old)| (at, if at == index { value } else { old });
        measured().into_iter().map(replace).collect()
    }

    fn pcr(index: u8) -> Digest<48> {
        Digest::from([index.saturating_add(1); 48])
    }

    fn other() -> Digest<48> {
        Digest::from([0xff; 48])
    }
}
