//! What lies in the warehouse, and which shelf each order takes it from.

use std::collections::{BTreeMap, HashMap};

use plock::tokio::sync::Mutex;

use crate::database::{Database, Sales};

/// How an order takes its lines out of stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Allocation {
    /// All lines in one section, each through the index.
    Cart,
    /// One section per line, each a search for the best-filled bin of the whole warehouse: short,
    /// but so many that the mutex is always wanted by somebody.
    LineByLine,
}

/// How the reindexer brings new figures in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reindex {
    /// Asks the database first and locks for the update only.
    QueryFirst,
    /// Locks first, and keeps the inventory locked while the database works.
    LockFirst,
}

/// Some pieces of one product in one place.
#[derive(Debug)]
pub(crate) struct Bin {
    pub(crate) product: i64,
    pub(crate) quantity: i64,
}

/// One product of an order.
#[derive(Debug, Clone, Copy, serde::Deserialize)]
pub(crate) struct Line {
    pub(crate) product: i64,
    pub(crate) quantity: i64,
}

/// What is known about the stock of one product.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Level {
    product: i64,
    quantity: i64,
    popularity: usize,
}

/// An order asked for more than there is.
#[derive(Debug)]
pub(crate) struct OutOfStock;

/// The warehouse, one request at a time.
#[derive(Debug)]
pub(crate) struct Inventory {
    stock: Mutex<Stock>,
}

#[derive(Debug)]
struct Stock {
    bins: Vec<Bin>,
    /// Positions in `bins`.
    by_product: HashMap<i64, Vec<usize>>,
    /// Rank of each product by pieces sold, 0 the most popular; refreshed by the reindexer.
    popularity: BTreeMap<i64, usize>,
}

impl Inventory {
    pub(crate) async fn load(database: &Database) -> sqlx::Result<Self> {
        let bins = database.bins().await?;
        let mut by_product: HashMap<i64, Vec<usize>> = HashMap::new();
        for (position, bin) in bins.iter().enumerate() {
            by_product.entry(bin.product).or_default().push(position);
        }
        let stock = Stock { bins, by_product, popularity: BTreeMap::new() };
        Ok(Self { stock: Mutex::named("inventory", stock) })
    }

    pub(crate) async fn level(&self, product: i64) -> Option<Level> {
        let stock = self.stock.lock().await;
        let positions = stock.by_product.get(&product)?;
        let quantity = positions.iter().map(|&position| stock.bins[position].quantity).sum();
        let popularity = stock.popularity.get(&product).copied().unwrap_or(usize::MAX);
        Some(Level { product, quantity, popularity })
    }

    /// Takes every line out of stock.
    pub(crate) async fn allocate(&self, lines: &[Line], how: Allocation) -> Result<(), OutOfStock> {
        match how {
            Allocation::Cart => {
                let mut stock = self.stock.lock().await;
                lines.iter().try_for_each(|line| stock.take_indexed(*line))
            }
            Allocation::LineByLine => {
                for line in lines {
                    self.stock.lock().await.take_searching(*line)?;
                }
                Ok(())
            }
        }
    }

    /// Ranks the products by what the history says about them.
    pub(crate) async fn reindex(&self, database: &Database, how: Reindex) -> sqlx::Result<()> {
        match how {
            Reindex::QueryFirst => {
                let sales = database.sales().await?;
                self.stock.lock().await.rank(&sales);
            }
            Reindex::LockFirst => {
                let mut stock = self.stock.lock().await;
                stock.rank(&database.sales().await?);
            }
        }
        Ok(())
    }
}

impl Stock {
    fn take_indexed(&mut self, line: Line) -> Result<(), OutOfStock> {
        let positions = self.by_product.get(&line.product).ok_or(OutOfStock)?;
        let enough = |&&position: &&usize| self.bins[position].quantity >= line.quantity;
        let &position = positions.iter().find(enough).ok_or(OutOfStock)?;
        self.bins[position].quantity -= line.quantity;
        Ok(())
    }

    fn take_searching(&mut self, line: Line) -> Result<(), OutOfStock> {
        let fits = |bin: &&mut Bin| bin.product == line.product && bin.quantity >= line.quantity;
        let bin =
            self.bins.iter_mut().filter(fits).max_by_key(|bin| bin.quantity).ok_or(OutOfStock)?;
        bin.quantity -= line.quantity;
        Ok(())
    }

    fn rank(&mut self, sales: &[Sales]) {
        self.popularity =
            sales.iter().enumerate().map(|(rank, sales)| (sales.product, rank)).collect();
    }
}
