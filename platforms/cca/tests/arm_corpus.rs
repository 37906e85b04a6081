//! The seeds of the fuzz targets: the targets read them, and an ignored test makes them again.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;

use atls_cca::CcaPlatform;
use atls_cca::CcaProfile;
use atls_cca::CcaRealm;
use atls_cca::PsaDevice;
use atls_cca::testing::ForgedCca;
use atls_cca::testing::ForgedPsa;
use atls_formats::psa::CcaToken;
use atls_formats::psa::SignedToken;

#[test]
fn seeds_are_what_the_targets_read() {
    for folder in FOLDERS {
        for (name, profile) in REALMS {
            let token = CcaToken::decode(&fs::read(seed(folder, name)).unwrap()).unwrap();
            let platform = CcaPlatform::of(token.platform()).unwrap();
            let realm = CcaRealm::of(token.realm()).unwrap();
            assert_eq!((platform.profile, realm.profile), (profile, profile));
            assert_eq!(platform.challenge, realm.key_digest());
        }
        let token = SignedToken::decode(&fs::read(seed(folder, "device")).unwrap()).unwrap();
        assert!(PsaDevice::of(token.claims()).is_ok());
    }
}

#[test]
#[ignore = "writes the seeds anew"]
fn seeds_are_made() {
    for folder in FOLDERS {
        let write = |name: &str, bytes: &[u8]| {
            let path = seed(folder, name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        };
        for (name, profile) in REALMS {
            write(name, &ForgedCca::of(profile).token(&[0x5a; 64]));
        }
        write("device", &ForgedPsa::new().token(&[0x5a; 32]));
    }
}

fn seed(folder: &str, name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join(folder)
        .join(name)
}

const FOLDERS: [&str; 2] = ["../../fuzz/seeds/cca_token", "../../fuzz/seeds/arm_tokens"];

const REALMS: [(&str, CcaProfile); 2] = [
    ("realm-first", CcaProfile::First),
    ("realm-tag-2023", CcaProfile::Tag2023),
];
