//! The registry on a socket.

use super::api::router;
use super::store::{Store, StoreError};
use crate::error::{Failure, Phase};
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The one file in the data folder (SQLite keeps two more beside it while it is open).
const FILE: &str = "registry.sqlite3";

/// How long a registry that was stopped waits for its last callers.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the registry keeps its data and where it listens.
#[derive(Clone, Debug)]
pub struct EmbeddedOptions {
    /// The data folder, made where it does not exist.
    pub data: PathBuf,
    /// Port 0 takes a free port; [`RunningRegistry::address`] tells which.
    pub listen: SocketAddr,
}

/// A registry that answers until it is stopped or dropped.
pub struct RunningRegistry {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

impl fmt::Debug for RunningRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningRegistry")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl RunningRegistry {
    /// The address it listens on.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The endpoint to give a client.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Takes no more calls, answers those it has, and ends. Who has not been answered after some seconds, such as
    /// somebody who opened a connection and says nothing, is cut off.
    pub async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            // Nobody listens only when it has ended already.
            let _ = stop.send(());
        }
        if tokio::time::timeout(PATIENCE, &mut self.serving).await.is_err() {
            self.serving.abort();
        }
    }
}

impl Drop for RunningRegistry {
    fn drop(&mut self) {
        // Every write is one transaction, so ending at any moment loses nothing that was answered.
        if self.stop.is_some() {
            self.serving.abort();
        }
    }
}

/// Starts a registry in this process. It accepts calls when this returns.
///
/// # Errors
/// The data folder cannot be made or read, its file was written by a newer program, or the address is taken.
pub async fn start(options: EmbeddedOptions) -> Result<RunningRegistry, Failure> {
    let (listener, store) = prepare(&options).await?;
    let address = local_address(&listener)?;
    let (stop, stopped) = oneshot::channel();
    let serving = tokio::spawn(async move {
        // A dropped sender means a dropped registry, which aborts this task.
        run(listener, store, async { drop(stopped.await) }).await;
    });
    Ok(RunningRegistry {
        address,
        stop: Some(stop),
        serving,
    })
}

/// Runs a registry until `shutdown` is ready, then answers the calls it has and returns.
///
/// # Errors
/// As for [`start`].
pub async fn serve(
    options: EmbeddedOptions,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Failure> {
    let running = start(options).await?;
    shutdown.await;
    running.stop().await;
    Ok(())
}

async fn run(listener: TcpListener, store: Arc<Store>, stopped: impl Future<Output = ()> + Send + 'static) {
    let served = axum::serve(listener, router(store))
        .with_graceful_shutdown(stopped)
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "the embedded registry stopped");
    }
}

async fn prepare(options: &EmbeddedOptions) -> Result<(TcpListener, Arc<Store>), Failure> {
    let path = options.data.join(FILE);
    let data = options.data.clone();
    let opened = tokio::task::spawn_blocking(move || {
        std::fs::create_dir_all(&data).map_err(|error| {
            let message = format!(
                "cannot make the embedded registry's folder `{}`: {error}",
                data.display()
            );
            Failure::usage(Phase::Connect, message).hint("Give another folder for the registry's data.")
        })?;
        Store::open(&path).map_err(|error| unusable(&path, &error))
    });
    let store = match opened.await {
        Ok(store) => store?,
        Err(error) => {
            return Err(Failure::internal(
                Phase::Connect,
                format!("the registry did not open: {error}"),
            ));
        }
    };
    let listener = TcpListener::bind(options.listen).await.map_err(|error| {
        let message = format!(
            "the embedded registry cannot listen on `{}`: {error}",
            options.listen
        );
        Failure::usage(Phase::Connect, message).hint("Give another address, or port 0 for a free one.")
    })?;
    Ok((listener, Arc::new(store)))
}

fn unusable(path: &std::path::Path, error: &StoreError) -> Failure {
    let message = format!("cannot open the embedded registry `{}`: {error}", path.display());
    match error {
        StoreError::Newer { .. } => Failure::usage(Phase::Connect, message)
            .hint("Use the newer kfp-gitops, or another folder for the data."),
        _ => Failure::usage(Phase::Connect, message)
            .hint("Remove the folder to start with an empty registry, or give another one."),
    }
}

fn local_address(listener: &TcpListener) -> Result<SocketAddr, Failure> {
    listener.local_addr().map_err(|error| {
        Failure::internal(
            Phase::Connect,
            format!("the registry's own address is unknown: {error}"),
        )
    })
}
