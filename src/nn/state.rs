//! The parameters of a module as a safetensors file.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::error::Error;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use safetensors::{Dtype, SafeTensors, View};

use super::{Block, Module};

/// Why parameters could not be saved or loaded. The message names the file, and what is wrong in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateError {
    message: String,
}

impl StateError {
    fn new(message: impl fmt::Display) -> Self {
        Self {
            message: message.to_string(),
        }
    }

    fn in_file(path: &Path, error: impl fmt::Display) -> Self {
        Self::new(format_args!("{}: {error}", path.display()))
    }
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for StateError {}

/// A block as it is written.
struct Tensor<'block> {
    shape: &'block [usize],
    bytes: Vec<u8>,
}

impl View for Tensor<'_> {
    fn dtype(&self) -> Dtype {
        Dtype::F64
    }

    fn shape(&self) -> &[usize] {
        self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

/// The blocks of a module, each of another name.
fn blocks_of(module: &(impl Module + ?Sized)) -> Result<Vec<Block>, StateError> {
    let blocks = module.blocks();
    let mut names = HashSet::new();
    match blocks.iter().find(|block| !names.insert(block.name())) {
        Some(block) => Err(StateError::new(format_args!(
            "two blocks of the module are called {}",
            block.name()
        ))),
        None => Ok(blocks),
    }
}

/// Fails if one of the numbers is not finite.
fn expect_finite(block: &Block, numbers: &[f64]) -> Result<(), String> {
    match numbers.iter().position(|number| !number.is_finite()) {
        Some(i) => Err(format!("{} is {}", block.name_of(i), numbers[i])),
        None => Ok(()),
    }
}

#[track_caller]
pub(super) fn to_bytes(module: &(impl Module + ?Sized)) -> Result<Vec<u8>, StateError> {
    let blocks = blocks_of(module)?;
    let mut tensors = BTreeMap::new();
    for block in &blocks {
        let mut numbers = Vec::with_capacity(block.values().len());
        for value in block.values() {
            numbers.push(value.data());
        }
        expect_finite(block, &numbers).map_err(StateError::new)?;
        let bytes = numbers.into_iter().flat_map(f64::to_le_bytes).collect();
        let shape = block.shape();
        tensors.insert(block.name(), Tensor { shape, bytes });
    }
    let metadata = HashMap::from([(String::from("format"), String::from("pt"))]);
    safetensors::serialize(tensors, Some(metadata)).map_err(StateError::new)
}

#[track_caller]
pub(super) fn save(module: &(impl Module + ?Sized), path: &Path) -> Result<(), StateError> {
    let in_file = |error: &dyn fmt::Display| StateError::in_file(path, error);
    let bytes = to_bytes(module).map_err(|error| in_file(&error))?;
    replace_file(path, &bytes).map_err(|error| in_file(&error))
}

/// Writes to a new file beside the old one, whose permissions it gets and whose place it then takes:
/// whoever opens the path finds the one or the other, and never a part. A link stays, and what it leads
/// to is replaced.
fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = &end_of_links(path)?;
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Those of any new file: less what the process masks.
        builder.permissions(PermissionsExt::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(path.parent().unwrap_or(path))?;
    match fs::metadata(path) {
        Ok(old) if old.is_file() => file.as_file().set_permissions(old.permissions())?,
        Ok(_) => return Err(io::Error::other("what is there is no file")),
        Err(_) => {} // nothing is there
    }
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// What the path leads to, whether or not there is something.
fn end_of_links(path: &Path) -> io::Result<PathBuf> {
    match (fs::canonicalize(path), fs::read_link(path)) {
        (Err(error), Ok(next)) if error.kind() == io::ErrorKind::NotFound => {
            end_of_links(&path.parent().unwrap_or(path).join(next))
        }
        (Err(error), Err(_)) if error.kind() == io::ErrorKind::NotFound => Ok(path.into()),
        (end, _) => end,
    }
}

#[track_caller]
pub(super) fn load(module: &(impl Module + ?Sized), path: &Path) -> Result<(), StateError> {
    let in_file = |error: &dyn fmt::Display| StateError::in_file(path, error);
    let blocks = blocks_of(module).map_err(|error| in_file(&error))?;
    let bytes = read(path, most_bytes(&blocks)).map_err(|error| in_file(&error))?;
    load_blocks(&blocks, &bytes).map_err(|error| in_file(&error))
}

#[track_caller]
pub(super) fn load_bytes(module: &(impl Module + ?Sized), bytes: &[u8]) -> Result<(), StateError> {
    load_blocks(&blocks_of(module)?, bytes)
}

/// Beyond this size a file is not read: it can only be of another, far larger module.
fn most_bytes(blocks: &[Block]) -> usize {
    let numbers: usize = blocks.iter().map(|block| block.values().len()).sum();
    (1 << 20) + 64 * numbers
}

fn read(path: &Path, most_bytes: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path)?;
    file.take(most_bytes as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > most_bytes {
        return Err(io::Error::other(format!(
            "it has more than {most_bytes} bytes, far more than the module needs"
        )));
    }
    Ok(bytes)
}

/// Gives the parameters the numbers of the file, if all of them fit.
#[track_caller]
fn load_blocks(blocks: &[Block], bytes: &[u8]) -> Result<(), StateError> {
    let tensors = SafeTensors::deserialize(bytes)
        .map_err(|error| StateError::new(format_args!("not a safetensors file: {error}")))?;
    let mut misfits = Vec::new();
    let mut all_numbers = Vec::new();
    for block in blocks {
        match numbers_for(block, &tensors) {
            Ok(numbers) => all_numbers.extend(numbers),
            Err(misfit) => misfits.push(misfit),
        }
    }
    let mut names = tensors.names();
    names.sort_unstable();
    for name in names {
        if !blocks.iter().any(|block| block.name() == name) {
            misfits.push(format!("{name} is not in the module"));
        }
    }
    if !misfits.is_empty() {
        return Err(StateError::new(format_args!(
            "the file does not fit the module:\n    {}",
            misfits.join("\n    ")
        )));
    }
    let parameters: Vec<_> = blocks.iter().flat_map(Block::values).collect();
    for parameter in &parameters {
        drop(parameter.borrow_mut()); // panics before anything has changed
    }
    for (parameter, number) in parameters.into_iter().zip(all_numbers) {
        parameter.set_data(number);
    }
    Ok(())
}

/// The numbers of the tensor that has the block's name; or what keeps them from fitting.
fn numbers_for(block: &Block, tensors: &SafeTensors) -> Result<Vec<f64>, String> {
    let (name, shape) = (block.name(), block.shape());
    let Ok(tensor) = tensors.tensor(name) else {
        return Err(format!("{name} {shape:?} is missing"));
    };
    if tensor.shape() != shape {
        return Err(format!(
            "{name} has the shape {:?}, not {shape:?}",
            tensor.shape()
        ));
    }
    let bytes = tensor.data();
    let numbers: Vec<f64> = match tensor.dtype() {
        Dtype::F64 => numbers(bytes, f64::from_le_bytes),
        Dtype::F32 => numbers(bytes, |bytes| f64::from(f32::from_le_bytes(bytes))),
        dtype => return Err(format!("{name} holds {dtype} numbers, not F64 or F32")),
    };
    expect_finite(block, &numbers)?;
    Ok(numbers)
}

fn numbers<const SIZE: usize>(bytes: &[u8], number: fn([u8; SIZE]) -> f64) -> Vec<f64> {
    let chunks = bytes.chunks_exact(SIZE);
    chunks
        .map(|chunk| number(chunk.try_into().expect("a chunk has that size")))
        .collect()
}
