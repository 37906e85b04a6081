//! The type of future that the role traits return.

use std::future::Future;
use std::pin::Pin;

/// A boxed future: the role traits return it so that they work as `dyn` traits. It is the only type alias of this crate.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
