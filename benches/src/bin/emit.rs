//! Writes the source code in `src/emitted` anew.

use std::path::Path;
use std::{fs, io};

use micrograd_benches::micrograd_side::{digits_source, readme_source};

fn main() -> io::Result<()> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/emitted");
    fs::write(directory.join("readme.rs"), readme_source())?;
    fs::write(directory.join("digits.rs"), digits_source())
}
