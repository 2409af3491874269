//! What the shop sells: read by every request, written when a price changes.

use std::collections::BTreeMap;

use plock::tokio::sync::RwLock;

use crate::database::{Database, Sales};

/// How the export reads the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Export {
    /// Copies what it needs and lets go before it asks the database.
    CopyFirst,
    /// Keeps the read guard over the slow query, so that a price change has to wait, and every
    /// reader after it.
    KeepReading,
}

/// One thing for sale.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Product {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) price_cents: i64,
}

/// A product next to its history.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Exported {
    #[serde(flatten)]
    product: Product,
    sold: i64,
    revenue_cents: i64,
}

/// All products by number.
#[derive(Debug)]
pub(crate) struct Catalogue {
    products: RwLock<BTreeMap<i64, Product>>,
}

impl Catalogue {
    pub(crate) async fn load(database: &Database) -> sqlx::Result<Self> {
        let products = database.products().await?.into_iter().map(|p| (p.id, p)).collect();
        Ok(Self { products: RwLock::named("catalogue", products) })
    }

    pub(crate) async fn product(&self, id: i64) -> Option<Product> {
        self.products.read().await.get(&id).cloned()
    }

    pub(crate) async fn search(&self, text: &str) -> Vec<Product> {
        let products = self.products.read().await;
        products.values().filter(|product| product.name.contains(text)).cloned().collect()
    }

    /// Prices of several products, all from the same moment; `None` if one is not sold here.
    pub(crate) async fn prices(&self, ids: impl Iterator<Item = i64>) -> Option<Vec<i64>> {
        let products = self.products.read().await;
        ids.map(|id| products.get(&id).map(|product| product.price_cents)).collect()
    }

    /// Changes a price in memory, then in the database; `false` if the product is not sold here.
    pub(crate) async fn set_price(
        &self,
        id: i64,
        price_cents: i64,
        database: &Database,
    ) -> sqlx::Result<bool> {
        {
            let mut products = self.products.write().await;
            let Some(product) = products.get_mut(&id) else { return Ok(false) };
            product.price_cents = price_cents;
        }
        database.set_price(id, price_cents).await?;
        Ok(true)
    }

    /// Every product next to what the history says about it.
    pub(crate) async fn export(
        &self,
        database: &Database,
        how: Export,
    ) -> sqlx::Result<Vec<Exported>> {
        match how {
            Export::CopyFirst => {
                let products = self.products.read().await.clone();
                Ok(join(&products, database.sales().await?))
            }
            Export::KeepReading => {
                let products = self.products.read().await;
                Ok(join(&products, database.sales().await?))
            }
        }
    }
}

fn join(products: &BTreeMap<i64, Product>, sales: Vec<Sales>) -> Vec<Exported> {
    let row = |sales: Sales| {
        let product = products.get(&sales.product)?.clone();
        Some(Exported { product, sold: sales.sold, revenue_cents: sales.revenue_cents })
    };
    sales.into_iter().filter_map(row).collect()
}
