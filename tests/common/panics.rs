//! Panic messages and the lines that they name.

use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex};

/// The message of the panic that ends `f`, and the line that it names.
pub(crate) fn panic_of(f: impl FnOnce()) -> (String, u32) {
    static ONE_HOOK_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _lock = ONE_HOOK_AT_A_TIME.lock();
    let line = Arc::new(Mutex::new(0));
    let seen = Arc::clone(&line);
    let previous = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        *seen.lock().unwrap() = info.location().map_or(0, panic::Location::line);
    }));
    let result = panic::catch_unwind(AssertUnwindSafe(f));
    panic::set_hook(previous);
    let payload = result.expect_err("it did not panic");
    let message = payload
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).into()))
        .unwrap_or_default();
    let line = *line.lock().unwrap();
    (message, line)
}
