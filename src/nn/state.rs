//! Named arrays of numbers as a safetensors file: the parameters of a module, or a checkpoint.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::error::Error;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use safetensors::{Dtype, SafeTensorError, SafeTensors, View};

use super::block::{Block, place};

/// Why a file could not be saved or loaded. The message names the file and what is wrong in it; the
/// [`source`](Error::source) is the underlying error, if any.
#[derive(Debug)]
pub struct StateError {
    message: String,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl StateError {
    pub(crate) fn new(message: impl fmt::Display) -> Self {
        Self {
            message: message.to_string(),
            cause: None,
        }
    }

    pub(crate) fn in_file(self, path: &Path) -> Self {
        Self {
            message: format!("{}: {}", path.display(), self.message),
            ..self
        }
    }
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for StateError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_ref().map(|cause| &**cause as _)
    }
}

impl From<io::Error> for StateError {
    fn from(error: io::Error) -> Self {
        Self {
            message: error.to_string(),
            cause: Some(Box::new(error)),
        }
    }
}

impl From<SafeTensorError> for StateError {
    fn from(error: SafeTensorError) -> Self {
        Self {
            message: format!("not a safetensors file: {error}"),
            cause: Some(Box::new(error)),
        }
    }
}

/// A named array of numbers.
pub(crate) struct Tensor {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) numbers: Vec<f64>,
}

impl Tensor {
    /// Fails if one of these numbers for the tensor is not finite.
    fn expect_finite(&self, numbers: &[f64]) -> Result<(), String> {
        match numbers.iter().position(|number| !number.is_finite()) {
            Some(i) => {
                let place = place(&self.name, &self.shape, i);
                Err(format!("{place} is {}", numbers[i]))
            }
            None => Ok(()),
        }
    }
}

/// The parameters of each block.
#[track_caller]
pub(crate) fn tensors_of(blocks: &[Block]) -> Result<Vec<Tensor>, StateError> {
    let mut names = HashSet::new();
    if let Some(block) = blocks.iter().find(|block| !names.insert(block.name())) {
        return Err(StateError::new(format_args!(
            "two blocks of the module are called {}",
            block.name()
        )));
    }
    let mut tensors = Vec::new();
    for block in blocks {
        let mut numbers = Vec::with_capacity(block.values().len());
        for value in block.values() {
            numbers.push(value.data());
        }
        tensors.push(Tensor {
            name: block.name().into(),
            shape: block.shape().into(),
            numbers,
        });
    }
    Ok(tensors)
}

/// Sets the parameters of each block to the numbers of its tensor.
pub(crate) fn set_parameters(blocks: &[Block], tensors: &[Tensor]) {
    let parameters = blocks.iter().flat_map(Block::values);
    let numbers = tensors.iter().flat_map(|tensor| &tensor.numbers);
    for (parameter, &number) in parameters.zip(numbers) {
        parameter.set_data(number);
    }
}

#[track_caller]
pub(super) fn save(blocks: &[Block], path: &Path) -> Result<(), StateError> {
    let bytes = to_bytes(blocks);
    let saved = bytes.and_then(|bytes| replace_file(path, &bytes));
    saved.map_err(|error| error.in_file(path))
}

#[track_caller]
pub(super) fn to_bytes(blocks: &[Block]) -> Result<Vec<u8>, StateError> {
    let tensors = tensors_of(blocks)?;
    bytes_of(&tensors, [("format".into(), "pt".into())].into())
}

#[track_caller]
pub(super) fn load(blocks: &[Block], path: &Path) -> Result<(), StateError> {
    let loaded = load_from(blocks, |tensors| Ok(read(path, tensors)?.into()));
    loaded.map_err(|error| error.in_file(path))
}

#[track_caller]
pub(super) fn load_bytes(blocks: &[Block], bytes: &[u8]) -> Result<(), StateError> {
    load_from(blocks, |_| Ok(bytes.into()))
}

#[track_caller]
fn load_from<'bytes>(
    blocks: &[Block],
    bytes: impl FnOnce(&[Tensor]) -> Result<Cow<'bytes, [u8]>, StateError>,
) -> Result<(), StateError> {
    let mut tensors = tensors_of(blocks)?;
    let bytes = bytes(&tensors)?;
    fill(&mut tensors, &bytes, "module")?.expect_fit()?;
    for block in blocks {
        block.expect_writable();
    }
    set_parameters(blocks, &tensors);
    Ok(())
}

type Metadata = HashMap<String, String>;

/// The bytes of a file that holds these tensors.
pub(crate) fn bytes_of(tensors: &[Tensor], metadata: Metadata) -> Result<Vec<u8>, StateError> {
    let mut written = BTreeMap::new();
    for tensor in tensors {
        let Tensor {
            name,
            shape,
            numbers,
        } = tensor;
        tensor.expect_finite(numbers).map_err(StateError::new)?;
        let bytes = numbers.iter().copied().flat_map(f64::to_le_bytes).collect();
        written.insert(name, Written { shape, bytes });
    }
    let bytes = safetensors::serialize(written, Some(metadata)).map_err(StateError::new)?;
    expect_size(bytes.len(), tensors)?;
    Ok(bytes)
}

/// A tensor as it is written.
struct Written<'tensor> {
    shape: &'tensor [usize],
    bytes: Vec<u8>,
}

impl View for Written<'_> {
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

/// Writes a new file beside the old one, copies its permissions and then replaces it: a program
/// that opens the path finds the old file or the new one, never a part. A link stays, and its
/// target is replaced.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), StateError> {
    let path = &end_of_links(path)?;
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The permissions of any new file, before the umask of the process.
        builder.permissions(PermissionsExt::from_mode(0o666));
    }
    let directory = path.parent().unwrap_or(path);
    if !directory.as_os_str().is_empty() {
        fs::metadata(directory)?; // else the error would name the temporary file
    }
    let mut file = builder.tempfile_in(directory)?;
    match fs::metadata(path) {
        Ok(old) if old.is_file() => file.as_file().set_permissions(old.permissions())?,
        Ok(_) => return Err(StateError::new("not a regular file")),
        Err(_) => {} // nothing is there
    }
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(io::Error::from)?;
    Ok(())
}

/// The target of the path through all links, whether or not it exists.
fn end_of_links(path: &Path) -> io::Result<PathBuf> {
    match (fs::canonicalize(path), fs::read_link(path)) {
        (Err(error), Ok(next)) if error.kind() == io::ErrorKind::NotFound => {
            end_of_links(&path.parent().unwrap_or(path).join(next))
        }
        (Err(error), Err(_)) if error.kind() == io::ErrorKind::NotFound => Ok(path.into()),
        (end, _) => end,
    }
}

/// The bytes of a file for these tensors.
pub(crate) fn read(path: &Path, tensors: &[Tensor]) -> Result<Vec<u8>, StateError> {
    let mut bytes = Vec::new();
    let limit = most_bytes(tensors) as u64;
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    expect_size(bytes.len(), tensors)?;
    Ok(bytes)
}

/// The size limit. A larger file is neither read nor written: it can only hold other, far larger
/// tensors.
fn most_bytes(tensors: &[Tensor]) -> usize {
    let numbers: usize = tensors.iter().map(|tensor| tensor.numbers.len()).sum();
    (1 << 20) + 64 * numbers
}

fn expect_size(bytes: usize, tensors: &[Tensor]) -> Result<(), StateError> {
    let most_bytes = most_bytes(tensors);
    if bytes <= most_bytes {
        return Ok(());
    }
    Err(StateError::new(format_args!(
        "it has more than {most_bytes} bytes, far more than its parameters need"
    )))
}

/// The rest of a file, apart from the numbers.
pub(crate) struct Filled {
    /// The thing to be loaded, for messages.
    what: &'static str,
    /// The reasons why the file does not fit.
    pub(crate) misfits: Vec<String>,
    pub(crate) metadata: Metadata,
}

impl Filled {
    /// Fails if the file does not fit.
    pub(crate) fn expect_fit(self) -> Result<Metadata, StateError> {
        if self.misfits.is_empty() {
            return Ok(self.metadata);
        }
        let what = self.what;
        let misfits = self.misfits.join("\n    ");
        Err(StateError::new(format_args!(
            "the file does not fit the {what}:\n    {misfits}"
        )))
    }
}

/// Sets each tensor to the numbers of the file, if they fit; `what` is the thing to be loaded.
pub(crate) fn fill(
    tensors: &mut [Tensor],
    bytes: &[u8],
    what: &'static str,
) -> Result<Filled, StateError> {
    let (_, header) = SafeTensors::read_metadata(bytes)?;
    let file = SafeTensors::deserialize(bytes)?;
    let mut misfits = Vec::new();
    for tensor in &mut *tensors {
        match numbers_for(tensor, &file) {
            Ok(numbers) => tensor.numbers = numbers,
            Err(misfit) => misfits.push(misfit),
        }
    }
    let mut names = file.names();
    names.sort_unstable();
    names.retain(|name| tensors.iter().all(|tensor| tensor.name != *name));
    misfits.extend(
        names
            .iter()
            .map(|name| format!("{name} is only in the file")),
    );
    Ok(Filled {
        what,
        misfits,
        metadata: header.metadata().clone().unwrap_or_default(),
    })
}

/// The numbers that a file has under the name of a tensor, or the reason why they do not fit.
fn numbers_for(tensor: &Tensor, file: &SafeTensors) -> Result<Vec<f64>, String> {
    let Tensor { name, shape, .. } = tensor;
    let Ok(found) = file.tensor(name) else {
        return Err(format!("{name} {shape:?} is missing"));
    };
    if found.shape() != shape {
        return Err(format!(
            "{name} has the shape {:?}, not {shape:?}",
            found.shape()
        ));
    }
    let bytes = found.data();
    let numbers: Vec<f64> = match found.dtype() {
        Dtype::F64 => numbers(bytes, f64::from_le_bytes),
        Dtype::F32 => numbers(bytes, |bytes| f64::from(f32::from_le_bytes(bytes))),
        dtype => return Err(format!("{name} holds {dtype} numbers, not F64 or F32")),
    };
    tensor.expect_finite(&numbers)?;
    Ok(numbers)
}

fn numbers<const SIZE: usize>(bytes: &[u8], number: fn([u8; SIZE]) -> f64) -> Vec<f64> {
    let chunks = bytes.chunks_exact(SIZE);
    chunks
        .map(|chunk| number(chunk.try_into().expect("a chunk has that size")))
        .collect()
}
