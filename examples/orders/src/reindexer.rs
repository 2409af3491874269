//! The background task that keeps the inventory's popularity ranks fresh.

use std::{sync::Arc, time::Duration};

use tokio::time::MissedTickBehavior;

use crate::{inventory::Reindex, shop::Shop};

const INTERVAL: Duration = Duration::from_millis(250);

/// Reindexes for ever; ends by being aborted.
pub(crate) async fn run(shop: Arc<Shop>, how: Reindex) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // A failed pass leaves the old ranks in place; the next one is a quarter second away.
        drop(shop.inventory.reindex(&shop.database, how).await);
    }
}
