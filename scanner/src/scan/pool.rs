//! Where is the work of the CPU done, so that the network need not wait for it?

/// Bytes that are collected before work on them begins.
pub(super) const BATCH_BYTES: usize = 4 << 20;

/// Does a job on the pool; none if it panicked: hostile bytes may end one object, never the run.
pub(super) async fn on_pool<T: Send + 'static>(job: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (send, receive) = tokio::sync::oneshot::channel();
    rayon::spawn(move || {
        if let Ok(result) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)) {
            let _ = send.send(result);
        }
    });
    receive.await.ok()
}
