//! Writes invoices behind the requests, a bounded number at a time.

use std::{fmt::Write, sync::Arc};

use plock::tokio::sync::Semaphore;
use tracing::{Instrument, Span, info_span};

use crate::database::{Database, PricedLine};

/// Invoices written at the same time.
const DESKS: u32 = 2;

/// The back office.
#[derive(Debug, Clone)]
pub(crate) struct Worker {
    desks: Arc<Semaphore>,
}

impl Worker {
    pub(crate) fn new() -> Self {
        Self { desks: Arc::new(Semaphore::named("worker", DESKS as usize)) }
    }

    /// Has the invoice written later; the caller does not wait for it.
    pub(crate) fn submit(&self, order: i64, lines: Vec<PricedLine>, database: Arc<Database>) {
        let desks = Arc::clone(&self.desks);
        let work = async move {
            let Ok(_desk) = desks.acquire().await else { return };
            // Invoices are made again from the orders if one is missing.
            drop(database.insert_invoice(order, &invoice(order, &lines)).await);
        };
        // A trace of its own: the request does not last until its invoice is written.
        let span = info_span!(parent: None, "orders.invoice");
        span.follows_from(Span::current());
        tokio::spawn(plock::root("orders.invoice", work).instrument(span));
    }

    /// Waits until everything submitted so far is written. The semaphore is fair, so whoever asks
    /// for all desks is served last.
    pub(crate) async fn drain(&self) {
        drop(self.desks.acquire_many(DESKS).await);
    }
}

fn invoice(order: i64, lines: &[PricedLine]) -> String {
    let mut body = format!("invoice for order {order}\n");
    for line in lines {
        let total = line.quantity * line.price_cents;
        // Writing to a string cannot fail.
        let _ = writeln!(body, "{:>6} x {:<6} {total:>10}", line.quantity, line.product);
    }
    let total: i64 = lines.iter().map(|line| line.quantity * line.price_cents).sum();
    let _ = writeln!(body, "{:>26}", total);
    body
}
