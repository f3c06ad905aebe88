//! Checks that micrograd, its peers and hand-written loops agree, then times them.

fn main() {
    micrograd_benches::contests::compare();
}
