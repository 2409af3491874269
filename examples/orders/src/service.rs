//! The running service: a listener, the routes, the reindexer, and an orderly end.

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context;
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::{
    reindexer, routes,
    shop::{Habits, Shop},
    slowest::Slowest,
};

/// A service that answers requests until [`stop`](Self::stop).
#[derive(Debug)]
pub(crate) struct Service {
    address: SocketAddr,
    shop: Arc<Shop>,
    reindexer: JoinHandle<()>,
    server: JoinHandle<std::io::Result<()>>,
    stop: oneshot::Sender<()>,
    /// Holds the database file; removed when the service is dropped.
    _directory: TempDir,
}

impl Service {
    /// Creates a fresh database and starts to listen.
    pub(crate) async fn start(
        address: SocketAddr,
        habits: Habits,
        slowest: Slowest,
    ) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir().context("create a directory for the database")?;
        let shop = Arc::new(Shop::open(directory.path(), habits).await?);
        let listener =
            TcpListener::bind(address).await.with_context(|| format!("listen on {address}"))?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let app = routes::all(Arc::clone(&shop), slowest);
        let server = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            axum::serve(listener, app).with_graceful_shutdown(stopped).await
        });
        let reindexer = tokio::spawn(reindexer::run(Arc::clone(&shop), habits.reindex));
        Ok(Self { address, shop, reindexer, server, stop, _directory: directory })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers what is on the way, finishes the background work, closes the database.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        // The server may have failed already; its own result says so.
        let _sent = self.stop.send(());
        self.server.await.context("the server died")?.context("serve")?;
        self.reindexer.abort();
        drop(self.reindexer.await);
        self.shop.close().await;
        Ok(())
    }
}
