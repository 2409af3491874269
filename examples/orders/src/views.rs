//! How often each product was looked at since the start: one short update a request, under a lock of
//! parking_lot's, as no await is near.

use std::collections::BTreeMap;

use plock::parking_lot::{Mutex, Named as _};

/// Views of one product.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Viewed {
    product: i64,
    views: u64,
}

/// The table of all that were looked at.
#[derive(Debug)]
pub(crate) struct Views {
    by_product: Mutex<BTreeMap<i64, u64>>,
}

impl Views {
    pub(crate) fn new() -> Self {
        Self { by_product: Mutex::named("views", BTreeMap::new()) }
    }

    pub(crate) fn count(&self, product: i64) {
        *self.by_product.lock().entry(product).or_default() += 1;
    }

    /// The most viewed first.
    pub(crate) fn ranked(&self) -> Vec<Viewed> {
        let views = self.by_product.lock().clone();
        let viewed = |(product, views)| Viewed { product, views };
        let mut ranked: Vec<_> = views.into_iter().map(viewed).collect();
        ranked.sort_by_key(|it| std::cmp::Reverse(it.views));
        ranked
    }
}
