//! Operations with a deliberate defect, for tests of what is built on this crate.

use crate::engine::Session;
use crate::operation::Operation;

/// Warns once, then panics while a task of its own still holds the event queue.
pub(super) fn panic(session: &Session) -> Operation {
    Operation::spawn(session, |context| async move {
        let sink = context.sink.clone();
        context.sink.warning("before").await?;
        let holder = tokio::spawn(async move {
            std::future::pending::<()>().await;
            drop(sink);
        });
        assert!(holder.is_finished(), "on purpose");
        Ok(())
    })
}
