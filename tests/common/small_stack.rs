//! A thread that has no room for recursion.

use std::thread;

/// Does the work with as little stack as a small embedded thread has.
pub(crate) fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().stack_size(256 * 1024);
    thread.spawn(work).unwrap().join().unwrap();
}
