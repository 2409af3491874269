//! What can be switched: each scenario is a habit of the service together with the load under which
//! it hurts. `clean` is the same shop without bad habits.

use std::time::Duration;

use clap::ValueEnum;

use crate::{
    catalogue::Export,
    inventory::{Allocation, Reindex},
    requests::{Mix, Request},
    shop::Habits,
};

/// A behaviour of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Scenario {
    /// Short sections, locks released before the database is asked, enough connections.
    Clean,
    /// Orders take their lines one by one through the inventory's mutex.
    Convoy,
    /// The reindexer keeps the inventory locked over its database query.
    HoldAcrossAwait,
    /// Exports read the catalogue for long; a price change queues, and every reader behind it.
    WriterBehindReaders,
    /// Fewer connections than requests that need one, and a slow report among them.
    Pool,
}

const CLEAN: Habits = Habits {
    pool: 8,
    allocation: Allocation::Cart,
    export: Export::CopyFirst,
    reindex: Reindex::QueryFirst,
    summed: u32::MAX,
    report: Duration::ZERO,
};

impl Scenario {
    pub(crate) const fn habits(self) -> Habits {
        match self {
            Self::Clean => CLEAN,
            Self::Convoy => Habits { allocation: Allocation::LineByLine, ..CLEAN },
            Self::HoldAcrossAwait => Habits { reindex: Reindex::LockFirst, ..CLEAN },
            Self::WriterBehindReaders => Habits { export: Export::KeepReading, ..CLEAN },
            Self::Pool => Habits { pool: 2, ..CLEAN },
        }
    }

    /// What is asked of the service, and how often each.
    pub(crate) const fn mix(self) -> Mix {
        use Request::{Export, Order, PlaceOrder, Product, Sales, Search, SetPrice, Stock};
        match self {
            Self::Clean | Self::HoldAcrossAwait => Mix {
                lines: 3,
                weights: &[
                    (Product, 40),
                    (Search, 10),
                    (Stock, 20),
                    (PlaceOrder, 20),
                    (Order, 9),
                    (SetPrice, 1),
                ],
            },
            Self::Convoy => {
                Mix { lines: 40, weights: &[(PlaceOrder, 70), (Stock, 20), (Product, 10)] }
            }
            Self::WriterBehindReaders => {
                Mix { lines: 3, weights: &[(Product, 80), (Search, 9), (SetPrice, 6), (Export, 5)] }
            }
            Self::Pool => Mix { lines: 3, weights: &[(Order, 83), (SetPrice, 7), (Sales, 10)] },
        }
    }

    /// Arrivals per second that show the behaviour and leave two small cores room to breathe.
    pub(crate) const fn rate(self) -> f64 {
        match self {
            Self::Clean | Self::HoldAcrossAwait | Self::WriterBehindReaders => 150.0,
            Self::Convoy => 120.0,
            Self::Pool => 50.0,
        }
    }
}
