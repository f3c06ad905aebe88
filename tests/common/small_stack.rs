//! A thread with no room for deep recursion.

use std::thread;

/// Runs `work` on a stack as small as that of an embedded thread.
pub(crate) fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().stack_size(256 * 1024);
    thread.spawn(work).unwrap().join().unwrap();
}
