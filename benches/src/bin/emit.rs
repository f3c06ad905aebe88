//! Regenerates the source code in `src/emitted`.

use std::path::Path;
use std::{fs, io};

fn main() -> io::Result<()> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/emitted");
    micrograd_benches::micrograd_side::sources()
        .iter()
        .try_for_each(|(file, source)| fs::write(directory.join(file), source))
}
