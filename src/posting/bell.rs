//! A bell that wakes the worker: there is something new to do.

use tokio::sync::Notify;

/// Rung by whoever stores something that the worker can begin at once. Rung before it is listened to, it is heard all
/// the same; rung several times, it is heard once.
#[derive(Default, Debug)]
pub struct Bell(Notify);

impl Bell {
    /// Wakes one listener, now or as soon as there is one.
    pub fn ring(&self) {
        self.0.notify_one();
    }

    /// Waits until it is rung.
    pub async fn heard(&self) {
        self.0.notified().await;
    }
}
