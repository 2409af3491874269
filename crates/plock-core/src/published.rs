//! A pointer from one thread to all others, to something that is made once and never freed.

use crate::sync::{AtomicPtr, ConstPtr, Ordering};

/// Null until it is set. One thread sets it, any thread looks.
#[derive(Debug)]
pub(crate) struct Published<T: Sync + 'static>(ConstPtr<T>);

impl<T: Sync + 'static> Published<T> {
    pub(crate) const fn nothing() -> Self {
        Self(ConstPtr::new(std::ptr::null_mut()))
    }

    #[inline(always)]
    pub(crate) fn get(&self) -> Option<&'static T> {
        // ORDERING: pairs with Release in `set`. Model: `what_is_published_is_whole`.
        let pointer = self.0.load(Ordering::Acquire);
        #[expect(unsafe_code, reason = "it is reached through an atomic pointer")]
        // SAFETY: null, or stored by `set` from a `&'static T`, and `T` may be shared.
        unsafe {
            pointer.as_ref()
        }
    }

    pub(crate) fn set(&self, to: &'static T) {
        // ORDERING: pairs with Acquire in `get`; publishes what it points to.
        self.0.store(std::ptr::from_ref(to).cast_mut(), Ordering::Release);
    }
}

/// The same with something there from the start, so that nobody looks whether there is.
#[derive(Debug)]
pub(crate) struct Present<T: Sync + 'static>(AtomicPtr<T>);

impl<T: Sync + 'static> Present<T> {
    pub(crate) fn new(first: &'static T) -> Self {
        Self(AtomicPtr::new(std::ptr::from_ref(first).cast_mut()))
    }

    #[inline(always)]
    pub(crate) fn get(&self) -> &'static T {
        // ORDERING: pairs with Release in `set`. Model: `what_takes_the_place_of_another_is_whole`.
        let pointer = self.0.load(Ordering::Acquire);
        #[expect(unsafe_code, reason = "it is reached through an atomic pointer")]
        // SAFETY: stored by `new` or `set` from a `&'static T`, and `T` may be shared.
        unsafe {
            &*pointer
        }
    }

    pub(crate) fn set(&self, to: &'static T) {
        // ORDERING: pairs with Acquire in `get`; publishes what it points to.
        self.0.store(std::ptr::from_ref(to).cast_mut(), Ordering::Release);
    }
}
