//! The account with an ACME server: RFC 8555 §7.3, and its binding to an account that the operator has elsewhere, §7.3.4.

use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use http::Uri;
use instant_acme::Account;
use instant_acme::ExternalAccountKey;
use instant_acme::Key;
use instant_acme::NewAccount;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::PrivatePkcs8KeyDer;

use crate::error::OrderError;
use crate::error::escaped;
use crate::http::OneOrigin;

/// The key of the account, which is nowhere but in this memory.
pub(crate) enum AccountKey {
    /// The server makes an account for whoever asks.
    Own(PrivatePkcs8KeyDer<'static>),
    Bound(Box<Bound>),
}

/// An account that the server makes for a customer alone.
pub(crate) struct Bound {
    binding: ExternalAccountKey,
    known: Mutex<Option<Known>>,
}

/// An account that was made.
struct Known {
    id: String,
    key: PrivatePkcs8KeyDer<'static>,
}

impl AccountKey {
    pub(crate) fn generate() -> Result<Self, OrderError> {
        let (_, key) = Key::generate_pkcs8()?;
        Ok(Self::Own(key))
    }

    /// By the key and its identifier that the operator has from the server.
    pub(crate) fn bound(id: &str, key: &[u8]) -> Self {
        Self::Bound(Box::new(Bound {
            binding: ExternalAccountKey::new(id.to_owned(), key),
            known: Mutex::default(),
        }))
    }

    /// The account of this key, which the server makes if it does not know it: one that lost it gets it again.
    pub(crate) async fn account(
        &self,
        http: OneOrigin,
        directory: &Uri,
    ) -> Result<Account, OrderError> {
        let builder = Account::builder_with_http(Box::new(http));
        let directory = directory.to_string();
        let account = match self {
            Self::Own(key) => {
                let pair = Key::from_pkcs8_der(key.clone_key())?;
                let pair = (pair, PrivateKeyDer::Pkcs8(key.clone_key()));
                builder.create_from_key(pair, directory).await?.0
            }
            Self::Bound(bound) => match bound.known() {
                Some(Known { id, key }) => builder.from_parts(id, key, directory).await?,
                None => {
                    let agreed = NewAccount {
                        contact: &[],
                        terms_of_service_agreed: true,
                        only_return_existing: false,
                    };
                    let made = builder.create(&agreed, directory, Some(&bound.binding));
                    let (account, credentials) = made.await?;
                    *bound.locked() = Some(Known {
                        id: account.id().to_owned(),
                        key: credentials.private_key().clone_key(),
                    });
                    account
                }
            },
        };
        // Public: a CAA record may name it (RFC 8657).
        tracing::info!(account = escaped(account.id()), "ACME account");
        Ok(account)
    }

    /// The server does not know the account any more: the next one is another.
    pub(crate) fn forget(&self) {
        if let Self::Bound(bound) = self {
            *bound.locked() = None;
        }
    }
}

impl Bound {
    fn known(&self) -> Option<Known> {
        self.locked().as_ref().map(|known| Known {
            id: known.id.clone(),
            key: known.key.clone_key(),
        })
    }

    fn locked(&self) -> MutexGuard<'_, Option<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
