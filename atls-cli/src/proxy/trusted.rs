//! By whose word peers are accepted: a policy and keys, replaced as a whole while the service runs.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use atls_core::RelyingParty;
use atls_reference::is_cut_short;
use atls_remote::Jwks;
use tokio::task::JoinSet;

use super::watched::Watched;
use super::watched::When;
use crate::clock;
use crate::failure::Failure;
use crate::narrate::Narration;
use crate::trust;
use crate::trust::ReadPolicy;
use crate::trust::TrustOptions;

/// The connections of a service, whose peers a relying party judges.
pub(super) trait Peers: Send + Sync + 'static {
    /// Reads what else belongs to it. What it gives has the next ones judged by this, and [recalls](Self::recall) the others.
    ///
    /// # Errors
    /// A usage failure; nothing has changed then.
    fn judge_by(&self, relying_party: Arc<RelyingParty>) -> Result<Judge<'_>, Failure>;

    /// Ends those that there are properly, and cuts what is left when the time to drain has passed.
    fn recall(&self);
}

/// Puts what was read in force. Nothing has changed where it fails.
// An alias, as clippy finds the type hard to read in place.
pub(super) type Judge<'a> = Box<dyn FnOnce() -> Result<(), Failure> + 'a>;

/// Whom a service trusts now, and the files that say so.
pub(super) struct Trusted {
    peers: Arc<dyn Peers>,
    options: TrustOptions,
    watched: Watched,
    now: Mutex<Now>,
    /// For each source of collateral. They end with this.
    renewing: Mutex<JoinSet<()>>,
}

struct Now {
    policy: ReadPolicy,
    /// For each set of keys that is fetched. They end with this.
    _fetching: JoinSet<()>,
}

/// What was read of the files first.
pub(super) struct Opened {
    pub(super) relying_party: Arc<RelyingParty>,
    options: TrustOptions,
    watched: Watched,
    policy: ReadPolicy,
    keys: Vec<Arc<Jwks>>,
}

impl Opened {
    /// # Errors
    /// A usage failure: nothing says whom to trust, or a file is wrong.
    pub(super) fn new(options: &TrustOptions) -> Result<Self, Failure> {
        let watched = Watched::new(options.files());
        let trusted = trust::trusted(options, &Narration::Silent)?;
        Ok(Self {
            relying_party: Arc::new(trusted.relying_party),
            options: options.clone(),
            watched,
            policy: trusted.policy,
            keys: trusted.keys,
        })
    }

    /// For these peers, whom it judges.
    pub(super) fn about(self, peers: Arc<dyn Peers>) -> Trusted {
        let now = Now::new(self.policy, self.keys, &peers);
        let trusted = Trusted {
            peers,
            options: self.options,
            watched: self.watched,
            now: Mutex::new(now),
            renewing: Mutex::default(),
        };
        trusted.renew();
        trusted
    }
}

impl Trusted {
    /// Reads all files again, and has all peers judged by them. Where one is wrong everything stays as it was. Tells whether they were read.
    pub(super) fn reload(&self, when: When) -> Result<bool, Failure> {
        if !self.watched.are_due(when) {
            return Ok(false);
        }
        let read = || {
            let fresh = trust::trusted(&self.options, &Narration::Silent)?;
            if let When::Changed = when {
                self.check_whole(&fresh.policy)?;
            }
            let judge = self.peers.judge_by(Arc::new(fresh.relying_party))?;
            Ok((judge, fresh.policy, fresh.keys))
        };
        let ((judge, policy, keys), stamps) = self.watched.read(read)?;
        judge()?;
        *self.now() = Now::new(policy, keys, &self.peers);
        self.renew();
        self.watched.took(stamps);
        Ok(true)
    }

    /// Has collateral renewed in the background. A policy that is read again may have a table that brings another source.
    fn renew(&self) {
        let mut renewing = self.renewing.lock().unwrap_or_else(PoisonError::into_inner);
        for renewal in self.options.appraisal.fetched.renewals() {
            renewing.spawn(async { match renewal.await {} });
        }
    }

    /// A file that was cut short, such as on a full disk, may be a good one that demands less.
    fn check_whole(&self, fresh: &ReadPolicy) -> Result<(), Failure> {
        let now = self.now();
        let mut tables = now.policy.tables.iter();
        if let Some(gone) = tables.find(|table| !fresh.tables.contains(table)) {
            return Err(Failure::usage(format!(
                "the policy has no table [{gone}] any more, and that is taken at SIGHUP alone"
            )));
        }
        match is_cut_short(&now.policy.text, &fresh.text) {
            true => Err(Failure::usage(
                "the policy is the one before, cut short, and that is taken at SIGHUP alone",
            )),
            false => Ok(()),
        }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Now {
    fn new(policy: ReadPolicy, keys: Vec<Arc<Jwks>>, peers: &Arc<dyn Peers>) -> Self {
        let mut fetching = JoinSet::new();
        for keys in keys {
            let peers = peers.clone();
            fetching.spawn(async move {
                let withdrawn = || {
                    tracing::warn!("a verifier's key was withdrawn: peers are attested anew");
                    peers.recall();
                };
                // Keys are as old as can be for a machine that does not know the time.
                match keys.keep_fresh(clock::now_or_1970, KEYS, withdrawn).await {}
            });
        }
        Self {
            policy,
            _fetching: fetching,
        }
    }
}

/// How often the keys of services are fetched.
const KEYS: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::fs;
    use std::path::PathBuf;
    use std::pin::Pin;
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering;
    use std::task::Context;
    use std::task::Poll;

    use atls_sim::SimAttester;

    use super::*;
    use crate::trust::Fetched;

    /// Reads a file of authorities, and somebody writes it meanwhile, the first time.
    struct Reading {
        authorities: PathBuf,
        read: AtomicUsize,
        judged: AtomicUsize,
    }

    impl Peers for Reading {
        fn judge_by(&self, _: Arc<RelyingParty>) -> Result<Judge<'_>, Failure> {
            if self.read.fetch_add(1, Ordering::Relaxed) == 0 {
                fs::write(&self.authorities, "half").unwrap();
            }
            Ok(Box::new(|| {
                self.judged.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }))
        }

        fn recall(&self) {}
    }

    #[test]
    fn authorities_that_are_written_while_they_are_read_are_not_in_force() {
        let name = format!("atls-trusted-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        let (device, authorities) = (folder.join("device"), folder.join("authorities"));
        let key = SimAttester::generate().unwrap();
        fs::write(&device, key.trust_anchor().public_key()).unwrap();
        fs::write(&authorities, "").unwrap();
        let mut options = TrustOptions::default();
        options.appraisal.trust_sim.push(device);
        options.ca.push(authorities.clone());
        let peers = Arc::new(Reading {
            authorities,
            read: AtomicUsize::new(0),
            judged: AtomicUsize::new(0),
        });
        let trusted = Opened::new(&options).unwrap().about(peers.clone());
        assert!(trusted.reload(When::Asked).is_err());
        assert_eq!(peers.judged.load(Ordering::Relaxed), 0);
        assert!(trusted.reload(When::Asked).unwrap());
        assert_eq!(peers.judged.load(Ordering::Relaxed), 1);
        fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test]
    async fn collateral_is_renewed_until_the_service_ends() {
        struct Polled(Arc<AtomicUsize>);
        impl Future for Polled {
            type Output = Infallible;

            fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Infallible> {
                self.0.fetch_add(1, Ordering::Relaxed);
                Poll::Pending
            }
        }
        let polled = Arc::new(AtomicUsize::new(0));
        let name = format!("atls-renewed-{}", std::process::id());
        let device = std::env::temp_dir().join(name);
        let key = SimAttester::generate().unwrap();
        fs::write(&device, key.trust_anchor().public_key()).unwrap();
        let mut options = TrustOptions::default();
        options.appraisal.trust_sim.push(device.clone());
        options.appraisal.fetched = Fetched::renewing(Box::pin(Polled(polled.clone())));
        let peers = Arc::new(Reading {
            authorities: device.clone(),
            read: AtomicUsize::new(1),
            judged: AtomicUsize::new(0),
        });
        let trusted = Opened::new(&options).unwrap().about(peers);
        tokio::task::yield_now().await;
        assert_eq!(polled.load(Ordering::Relaxed), 1);
        // It goes on with another policy.
        assert!(trusted.reload(When::Asked).unwrap());
        tokio::task::yield_now().await;
        assert_eq!(Arc::strong_count(&polled), 2);
        drop(trusted);
        tokio::task::yield_now().await;
        assert_eq!(Arc::strong_count(&polled), 1);
        fs::remove_file(device).unwrap();
    }
}
