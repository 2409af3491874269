//! The background task that keeps the inventory's popularity ranks fresh.

use std::{sync::Arc, time::Duration};

use tokio::time::MissedTickBehavior;
use tracing::{Instrument, info_span};

use crate::{inventory::Reindex, shop::Shop};

const NAME: &str = "orders.reindexer";
/// Not a fraction of a second: collections at whole seconds would see the same moment of it for ever.
const INTERVAL: Duration = Duration::from_millis(230);

/// Reindexes for ever; ends by being aborted.
pub(crate) async fn run(shop: Arc<Shop>, how: Reindex) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // One scope and one span a pass: whoever waits for a pass can name it and link to it.
        let pass = plock::scope(NAME, shop.inventory.reindex(&shop.database, how));
        // A failed pass leaves the old ranks in place; the next one is a quarter second away.
        drop(pass.instrument(info_span!(NAME)).await);
    }
}
