//! Loopback ports for the listeners of a stack, so that any number of stacks run side by side.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{LazyLock, Mutex, PoisonError};

use anyhow::{Context, Result};

/// Below the range from which kernels take the local ports of outgoing connections: a port that is
/// free for a while, because its process was killed, is not taken by a client meanwhile.
const PORTS: std::ops::Range<u16> = 15_000..32_000;

/// One port per listener of a stack.
#[derive(Debug)]
pub(crate) struct Ports {
    pub(crate) otlp_grpc: u16,
    pub(crate) otlp_http: u16,
    pub(crate) agents: u16,
    pub(crate) health: u16,
    pub(crate) pull: u16,
    pub(crate) self_metrics: u16,
    pub(crate) prometheus: u16,
    pub(crate) alertmanager: u16,
}

impl Ports {
    pub(crate) fn reserve() -> Result<Self> {
        Ok(Self {
            otlp_grpc: free_port()?,
            otlp_http: free_port()?,
            agents: free_port()?,
            health: free_port()?,
            pull: free_port()?,
            self_metrics: free_port()?,
            prometheus: free_port()?,
            alertmanager: free_port()?,
        })
    }
}

/// A port that nobody listens on and that this process has not handed out before.
fn free_port() -> Result<u16> {
    static TAKEN: LazyLock<Mutex<HashSet<u16>>> = LazyLock::new(Mutex::default);
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    let random = RandomState::new();
    (0_u64..1000)
        .filter_map(|attempt| {
            let span = u64::from(PORTS.end - PORTS.start);
            Some(PORTS.start + u16::try_from(random.hash_one(attempt) % span).ok()?)
        })
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok() && taken.insert(*port))
        .context("no free loopback port found")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_handed_out_once_and_outside_the_range_of_clients() {
        let ports: HashSet<_> = (0..50).map(|_| free_port().unwrap()).collect();
        assert_eq!(ports.len(), 50);
        assert!(ports.iter().all(|port| PORTS.contains(port)));
    }
}
