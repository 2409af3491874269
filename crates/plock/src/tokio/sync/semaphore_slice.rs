//! thin slice to validate the acquire path
use super::raw::{Ask, Raw};
use plock_core::{Hold, Kind, Lock};
use std::panic::Location;
/// x
#[derive(Debug)]
pub struct Slice(Raw);
/// x
#[derive(Debug)]
pub struct G<'a>(&'a Raw, Hold);
impl Drop for G<'_> {
    #[inline]
    fn drop(&mut self) { self.0.release(&mut self.1, Ask::all(1)); }
}
impl Slice {
    /// x
    #[must_use]
    pub fn new(name: &'static str) -> Self { Self(Raw::new(Lock::named(Kind::Mutex, name).registered(), 1)) }
    /// x
    #[track_caller]
    #[inline]
    pub fn lock(&self) -> impl Future<Output = G<'_>> {
        self.0.acquire(Ask::all(1), Location::caller(), |h| match h { Ok(h) => G(&self.0, h), Err(_) => unreachable!() })
    }
}
