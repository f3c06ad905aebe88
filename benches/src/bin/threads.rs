//! Times the tape of the moons on a large batch with one thread and with two.

fn main() {
    micrograd_benches::contests::compare_threads();
}
