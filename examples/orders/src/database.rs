//! `SQLite` behind a pool that tells who uses its connections, and who waits for one.

use std::{path::Path, time::Duration};

use anyhow::Context;
use plock::pool::sqlx::Pool;
use sqlx::{
    Connection as _, Sqlite,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::time::Instant;

use crate::{catalogue::Product, inventory::Bin, shop::Habits};

const SCHEMA: &str = include_str!("schema.sql");

/// The shop's database.
#[derive(Debug)]
pub(crate) struct Database {
    pool: Pool<Sqlite>,
    /// How many orders [`sales`](Self::sales) sums, and its least time.
    summed: u32,
    report: Duration,
}

/// One line of an order at the price it was sold for.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct PricedLine {
    pub(crate) product: i64,
    pub(crate) quantity: i64,
    pub(crate) price_cents: i64,
}

/// An order as it is read back.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Order {
    id: i64,
    customer: i64,
    total_cents: i64,
    lines: Vec<PricedLine>,
}

/// What the history says about one product.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Sales {
    pub(crate) product: i64,
    pub(crate) sold: i64,
    pub(crate) customers: i64,
    pub(crate) revenue_cents: i64,
}

impl Database {
    /// Creates the database file, fills it, and opens its connections.
    pub(crate) async fn create(path: &Path, habits: Habits) -> anyhow::Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_secs(10));
        let pool = SqlitePoolOptions::new()
            .min_connections(habits.pool)
            .max_connections(habits.pool)
            .connect_with(options)
            .await
            .with_context(|| format!("open the database {}", path.display()))?;
        sqlx::raw_sql(SCHEMA).execute(&pool).await.context("fill the database")?;
        let Habits { summed, report, .. } = habits;
        Ok(Self { pool: Pool::named("orders.pool", pool), summed, report })
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }

    pub(crate) async fn products(&self) -> sqlx::Result<Vec<Product>> {
        let mut connection = self.pool.acquire().await?;
        let rows: Vec<(i64, String, i64)> =
            sqlx::query_as("select id, name, price_cents from products")
                .fetch_all(&mut **connection)
                .await?;
        let product = |(id, name, price_cents)| Product { id, name, price_cents };
        Ok(rows.into_iter().map(product).collect())
    }

    pub(crate) async fn bins(&self) -> sqlx::Result<Vec<Bin>> {
        let mut connection = self.pool.acquire().await?;
        let rows: Vec<(i64, i64)> = sqlx::query_as("select product, quantity from bins")
            .fetch_all(&mut **connection)
            .await?;
        Ok(rows.into_iter().map(|(product, quantity)| Bin { product, quantity }).collect())
    }

    pub(crate) async fn set_price(&self, product: i64, price_cents: i64) -> sqlx::Result<()> {
        let mut connection = self.pool.acquire().await?;
        sqlx::query("update products set price_cents = ? where id = ?")
            .bind(price_cents)
            .bind(product)
            .execute(&mut **connection)
            .await?;
        Ok(())
    }

    /// Stores an order and returns its number.
    pub(crate) async fn insert_order(
        &self,
        customer: i64,
        lines: &[PricedLine],
    ) -> sqlx::Result<i64> {
        let total: i64 = lines.iter().map(|line| line.quantity * line.price_cents).sum();
        // All lines in one statement: others wait for SQLite's write lock meanwhile.
        let json =
            serde_json::to_string(lines).map_err(|error| sqlx::Error::Encode(error.into()))?;
        let mut connection = self.pool.acquire().await?;
        // Takes the write lock of SQLite at once: a transaction that began as a reader would be
        // refused, not queued, when another one writes first.
        let mut transaction = connection.begin_with("begin immediate").await?;
        let id = sqlx::query("insert into orders (customer, total_cents) values (?, ?)")
            .bind(customer)
            .bind(total)
            .execute(&mut *transaction)
            .await?
            .last_insert_rowid();
        sqlx::query(
            "insert into order_lines
             select ?, value ->> 'product', value ->> 'quantity', value ->> 'price_cents'
             from json_each(?)",
        )
        .bind(id)
        .bind(json)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(id)
    }

    pub(crate) async fn order(&self, id: i64) -> sqlx::Result<Option<Order>> {
        let mut connection = self.pool.acquire().await?;
        let head: Option<(i64, i64)> =
            sqlx::query_as("select customer, total_cents from orders where id = ?")
                .bind(id)
                .fetch_optional(&mut **connection)
                .await?;
        let Some((customer, total_cents)) = head else { return Ok(None) };
        let rows: Vec<(i64, i64, i64)> = sqlx::query_as(
            "select product, quantity, price_cents from order_lines where order_id = ?",
        )
        .bind(id)
        .fetch_all(&mut **connection)
        .await?;
        let line = |(product, quantity, price_cents)| PricedLine { product, quantity, price_cents };
        Ok(Some(Order { id, customer, total_cents, lines: rows.into_iter().map(line).collect() }))
    }

    /// Sums the history by product: the one slow query of the shop.
    pub(crate) async fn sales(&self) -> sqlx::Result<Vec<Sales>> {
        let mut connection = self.pool.acquire().await?;
        let soonest = Instant::now() + self.report;
        let rows: Vec<(i64, i64, i64, i64)> = sqlx::query_as(
            "select product, sum(quantity), count(distinct customer), sum(quantity * price_cents)
             from order_lines join orders on orders.id = order_lines.order_id
             where orders.id <= ? group by product order by 2 desc",
        )
        .bind(self.summed)
        .fetch_all(&mut **connection)
        .await?;
        tokio::time::sleep_until(soonest).await;
        let sales = |(product, sold, customers, revenue_cents)| Sales {
            product,
            sold,
            customers,
            revenue_cents,
        };
        Ok(rows.into_iter().map(sales).collect())
    }

    pub(crate) async fn insert_invoice(&self, order: i64, body: &str) -> sqlx::Result<()> {
        let mut connection = self.pool.acquire().await?;
        sqlx::query("insert into invoices values (?, ?)")
            .bind(order)
            .bind(body)
            .execute(&mut **connection)
            .await?;
        Ok(())
    }
}
