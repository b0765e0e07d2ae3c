//! How a process ends, and the only place that spawns: tasks, and work for threads on which nobody waits.
//!
//! A first signal asks everybody to finish what they hold (soft); a second one, or a deadline, tells them to drop it (hard). What
//! is dropped stands in its row and is taken up by whoever comes next.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long accepted work may take to finish after the first signal.
const DRAIN: Duration = Duration::from_secs(25);

/// Does what keeps a processor busy on a thread of its own, so that the threads that answer requests, extend leases and serve
/// children go on meanwhile: digests of whole uploads, packing, unpacking. A panic goes on in the caller.
#[expect(clippy::disallowed_methods, reason = "this is the one place that spawns")]
pub async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    joined(tokio::task::spawn_blocking(work)).await
}

/// Does what must not be left half done, to its end even when who waits for it goes away. A panic goes on in the caller.
#[expect(clippy::disallowed_methods, reason = "this is the one place that spawns")]
pub async fn to_the_end<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    joined(tokio::spawn(work)).await
}

async fn joined<T>(task: JoinHandle<T>) -> T {
    match task.await {
        Ok(outcome) => outcome,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Refused, because the runtime ends; who waits for it ends with it.
            Err(_) => std::future::pending().await,
        },
    }
}

/// The end of a process, shared by everyone in it.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    soft: CancellationToken,
    hard: CancellationToken,
    tasks: TaskTracker,
}

impl Shutdown {
    /// Runs a task that [`Shutdown::finish`] waits for.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that spawns")]
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Asks everybody to take no new work and finish what they hold.
    pub fn begin(&self) {
        self.soft.cancel();
    }

    /// Tells everybody to stop at once.
    pub fn abort(&self) {
        self.soft.cancel();
        self.hard.cancel();
    }

    /// Whether the end has begun.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.soft.is_cancelled()
    }

    /// Waits until the end begins.
    pub async fn begun(&self) {
        self.soft.cancelled().await;
    }

    /// Waits until everybody has to stop.
    pub async fn aborted(&self) {
        self.hard.cancelled().await;
    }

    /// Waits for all tasks, at most for the drain time; what is left then is dropped.
    pub async fn finish(&self) {
        self.begin();
        self.tasks.close();
        tokio::select! {
            () = self.tasks.wait() => return,
            () = self.hard.cancelled() => {}
            () = tokio::time::sleep(DRAIN) => tracing::warn!("not everything finished in time; what is left stands in its row"),
        }
        self.abort();
        // Tasks that heed the hard signal end within moments; the rest goes with the process.
        let _ = tokio::time::timeout(Duration::from_secs(1), self.tasks.wait()).await;
    }
}

#[cfg(test)]
mod tests {
    use std::panic::AssertUnwindSafe;

    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn hard_work_is_done_aside() {
        let here = std::thread::current().id();
        assert_ne!(aside(move || std::thread::current().id()).await, here);
    }

    #[tokio::test]
    async fn a_panic_aside_is_a_panic_here() {
        let panic = AssertUnwindSafe(aside(|| panic!("out of luck"))).catch_unwind().await.unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"out of luck"));
    }

    #[tokio::test]
    async fn what_must_not_be_left_half_done_is_not() {
        let (begin, begun) = tokio::sync::oneshot::channel::<()>();
        let (end, ended) = tokio::sync::oneshot::channel();
        let mut work = Box::pin(to_the_end(async {
            begun.await.unwrap();
            end.send("done").unwrap();
        }));
        assert!(futures::poll!(&mut work).is_pending());
        drop(work);
        begin.send(()).unwrap();
        assert_eq!(ended.await, Ok("done"));
    }
}
