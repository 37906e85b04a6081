//! A service by one configuration, until another takes its place.

use std::sync::Arc;
use std::time::Duration;

use atls_core::BoxFuture;
use serde_json::Value;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::device::Device;
use super::forward;
use super::health::Parts;
use super::metrics::Metrics;
use super::options::ProxyOptions;
use super::reverse;
use super::service::Files;
use super::service::Surroundings;
use super::tunnels::AllTunnels;
use super::tunnels::Stop;
use super::tunnels::Tunnels;
use super::watched::When;
use crate::failure::Failure;

/// It serves until it is stopped.
pub(super) struct Serving {
    stop: watch::Sender<()>,
    task: JoinHandle<Result<(), Failure>>,
    tunnels: AllTunnels,
    files: Files,
    metrics: Arc<Metrics>,
}

impl Serving {
    /// Starts over a socket, which others may hold too.
    ///
    /// # Errors
    /// Those of the arguments and the files that they name; a local fault where the device makes no Evidence, as no client would get
    /// any. Nothing was accepted then.
    pub(super) async fn start(
        options: &ProxyOptions,
        socket: &std::net::TcpListener,
        metrics: &Arc<Metrics>,
    ) -> Result<Self, Failure> {
        options.check()?;
        let failed =
            |error: std::io::Error| Failure::fault("the socket cannot be used").because(&error);
        let listener = socket.try_clone().map_err(failed)?;
        let listener = TcpListener::from_std(listener).map_err(failed)?;
        let (sender, stop) = Stop::new();
        let drain = Duration::from_secs(options.drain);
        let (tunnels, all_tunnels) = Tunnels::new(stop.clone(), drain);
        let surroundings = Surroundings {
            metrics: metrics.clone(),
            stop,
            tunnels,
            drain,
        };
        let (files, serving) = match (&options.upstream, &options.to) {
            (Some(upstream), _) => reverse::serve(options, upstream, listener, surroundings)?,
            (None, Some(to)) => forward::serve(options, to, listener, surroundings)?,
            (None, None) => return Err(Failure::usage("--upstream or --to says where to")),
        };
        let task = begin(files.device.as_deref(), serving).await?;
        Ok(Self {
            stop: sender,
            task,
            tunnels: all_tunnels,
            files,
            metrics: metrics.clone(),
        })
    }

    /// The parts that may fail while it serves.
    pub(super) fn parts(&self) -> Parts {
        Parts {
            identity: self.files.identity.clone(),
            device: self.files.device.clone(),
        }
    }

    /// Ends with a service that can serve no longer.
    pub(super) async fn failed(&mut self) -> Failure {
        match (&mut self.task).await {
            Ok(Err(failure)) => failure,
            Ok(Ok(())) => Failure::fault("the service ended by itself"),
            Err(error) => Failure::fault("the service ended").because(&error),
        }
    }

    /// Takes no more connections, and ends with the last one, which is at most the time to drain later.
    pub(super) async fn stop(self) {
        let Self {
            stop,
            task,
            tunnels,
            files,
            ..
        } = self;
        // What is recalled could begin further tunnels, and all of them would be waited for.
        drop((stop, files));
        let _ = task.await;
        tunnels.ended().await;
    }

    /// The keys that the service behind pins.
    pub(super) fn public_keys(&self) -> Value {
        match &self.files.stated {
            Some(stated) => stated.public_keys(),
            None => json!({ "keys": [] }),
        }
    }

    /// Reads its files again, and attests peers anew where any are judged. Tells whether all of them were right.
    pub(super) fn reload(&self, when: When) -> bool {
        let mut all_right = true;
        if let Some(files) = &self.files.identity {
            all_right &= record("certificate", files.reload(when), &self.metrics);
        }
        if let Some(files) = &self.files.stated {
            all_right &= record("key of results", files.reload(when), &self.metrics);
        }
        if let Some(files) = &self.files.trusted {
            let read = files.reload(when);
            let is_anew = matches!(read, Ok(true));
            all_right &= record("policy", read, &self.metrics);
            if is_anew {
                tracing::info!("peers are attested anew");
            }
        }
        all_right
    }
}

/// Serves, once the device has made Evidence: nobody is served by arguments that are not taken then.
async fn begin(
    device: Option<&Device>,
    serving: BoxFuture<'static, Result<(), Failure>>,
) -> Result<JoinHandle<Result<(), Failure>>, Failure> {
    if let Some(device) = device {
        device.check().await?;
    }
    Ok(tokio::spawn(serving))
}

/// Says and counts whether this was read again, and tells whether that went well.
pub(super) fn record(what: &str, reloaded: Result<bool, Failure>, metrics: &Metrics) -> bool {
    match reloaded {
        Ok(false) => true,
        Ok(true) => {
            tracing::info!(what, "read again");
            metrics.reloaded(true);
            true
        }
        Err(failure) => {
            let reason = failure.reason();
            tracing::error!(fault = "local", what, %reason, "not read again: the old one stays in force");
            metrics.reloaded(false);
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::sync::atomic::Ordering;

    use atls_core::AttestError;
    use atls_core::AttestRequest;
    use atls_core::Attester;
    use atls_core::MediaType;
    use atls_core::cmw::Cmw;
    use atls_core::pki_types::PrivateKeyDer;

    use super::*;
    use crate::tls;

    struct Broken;

    impl Attester for Broken {
        fn media_types(&self) -> &[MediaType] {
            &[]
        }

        fn attest<'a>(&'a self, _: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
            Box::pin(async { Err(AttestError::TimedOut) })
        }
    }

    #[tokio::test]
    async fn nobody_is_served_before_the_device_made_evidence() {
        let key = rcgen::KeyPair::generate().unwrap().serialize_der();
        let key = PrivateKeyDer::try_from(key).unwrap();
        let key = tls::provider().key_provider.load_private_key(key).unwrap();
        let device = Device::new(Arc::new(Broken), &*key).unwrap();
        let serves = Arc::new(AtomicBool::new(false));
        let served = serves.clone();
        let serving = Box::pin(async move {
            served.store(true, Ordering::Relaxed);
            Ok(())
        });
        assert!(begin(Some(&device), serving).await.is_err());
        tokio::task::yield_now().await;
        assert!(!serves.load(Ordering::Relaxed));
        // Not even the future is left.
        assert_eq!(Arc::strong_count(&serves), 1);
    }
}
