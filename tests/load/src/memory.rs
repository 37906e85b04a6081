//! What an idle connection holds, both ends together, by the allocator's count.

use std::error::Error;

use rustls::pki_types::ServerName;
use stats_alloc::Region;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

use crate::ALLOCATOR;
use crate::setting::Ends;
use crate::setting::Kind;
use crate::setting::Setting;

pub(crate) fn measure(number: usize) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let setting = Setting::new()?;
    println!("memory, {number} idle connections of each kind, bytes per connection, both ends");
    let mut plain = None;
    for kind in Kind::ALL {
        let ends = setting.ends(kind)?;
        // Once beforehand, for what is allocated once.
        runtime.block_on(hold(&ends, 2))?;
        let held = runtime.block_on(hold(&ends, number))?;
        let plain = *plain.get_or_insert(held);
        println!("{:<16} {held:>8.0}  {:+.0}", kind.name(), held - plain);
    }
    Ok(())
}

async fn hold(ends: &Ends, number: usize) -> Result<f64, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let mut plain = Vec::with_capacity(number);
    let mut attested = Vec::with_capacity(number);
    let region = Region::new(ALLOCATOR);
    for _ in 0..number {
        let socket = TcpStream::connect(address).await?;
        let (accepted, _) = listener.accept().await?;
        let name = ServerName::try_from("localhost")?;
        match ends {
            Ends::Plain(acceptor, connector) => {
                let both = tokio::join!(connector.connect(name, socket), acceptor.accept(accepted));
                plain.push(Box::new((both.0?, both.1?)));
            }
            Ends::Attested(acceptor, connector) => {
                let both = tokio::join!(connector.connect(name, socket), acceptor.accept(accepted));
                attested.push(Box::new((both.0?, both.1?)));
            }
        }
    }
    let change = region.change();
    let held = change.bytes_allocated as f64 - change.bytes_deallocated as f64;
    Ok(held / number as f64)
}
