//! Everything the requests share, and the habits a scenario gives it.

use std::{path::Path, sync::Arc, time::Duration};

use crate::{
    catalogue::{Catalogue, Export},
    database::Database,
    inventory::{Allocation, Inventory, Reindex},
    terms::{Limits, Terms},
    views::Views,
    worker::Worker,
};

/// The parts of the shop's code of which a good and a bad version exist.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Habits {
    /// Connections to the database.
    pub(crate) pool: u32,
    pub(crate) allocation: Allocation,
    pub(crate) export: Export,
    pub(crate) reindex: Reindex,
    /// Orders that the sales report sums, oldest first.
    pub(crate) summed: u32,
    /// Least time of the sales report.
    pub(crate) report: Duration,
}

/// What an order may ask for at first: so much that the stock decides.
const LIMITS: Limits = Limits { pieces: 1_000_000_000, lines: 100 };

/// The state behind the routes.
#[derive(Debug)]
pub(crate) struct Shop {
    pub(crate) habits: Habits,
    pub(crate) database: Arc<Database>,
    pub(crate) catalogue: Catalogue,
    pub(crate) inventory: Inventory,
    pub(crate) terms: Terms,
    pub(crate) views: Views,
    pub(crate) worker: Worker,
}

impl Shop {
    /// Creates the database in `directory` and loads what is kept in memory.
    pub(crate) async fn open(directory: &Path, habits: Habits) -> anyhow::Result<Self> {
        let database = Database::create(&directory.join("orders.sqlite"), habits).await?;
        let catalogue = Catalogue::load(&database).await?;
        let inventory = Inventory::load(&database).await?;
        Ok(Self {
            habits,
            database: Arc::new(database),
            catalogue,
            inventory,
            terms: Terms::new(LIMITS),
            views: Views::new(),
            worker: Worker::new(),
        })
    }

    /// Finishes the work that no request waits for, then closes the database.
    pub(crate) async fn close(&self) {
        self.worker.drain().await;
        self.database.close().await;
    }
}
