//! Saving and loading parameters: round trips, and files that are refused.
#![cfg(feature = "safetensors")]

mod common {
    pub(crate) mod panics;
}

use std::fs;
use std::path::PathBuf;

use common::panics::panic_of;
use micrograd::engine::Value;
use micrograd::nn::{Activation, Block, Layer, MLP, Module, Neuron};

fn model(seed: u64) -> MLP {
    MLP::new(3, &[2, 1], &mut micrograd::rng(seed))
}

fn bits(module: &impl Module) -> Vec<u64> {
    let parameters = module.parameters().into_iter();
    parameters
        .map(|parameter| parameter.data().to_bits())
        .collect()
}

/// A path in a directory that only these tests use.
fn path(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("state");
    fs::create_dir_all(&directory).unwrap();
    directory.join(name)
}

/// A file with this header, followed by this number of zero bytes.
fn file(header: &str, bytes: usize) -> Vec<u8> {
    let length = (header.len() as u64).to_le_bytes();
    [&length, header.as_bytes(), &vec![0; bytes]].concat()
}

#[test]
fn saving_and_loading_keeps_every_bit() {
    let mut rng = micrograd::rng(0);
    let saved = model(1);
    saved.parameters()[0].set_data(-0.0);
    saved.parameters()[1].set_data(f64::MIN_POSITIVE / 3.0);
    let loaded = model(2);
    saved.save(path("model")).unwrap();
    loaded.load(path("model")).unwrap();
    assert_eq!(bits(&loaded), bits(&saved));

    let [saved, loaded] = [0, 1].map(|_| Layer::new(2, 3, Activation::Tanh, &mut rng));
    loaded.load_bytes(&saved.to_bytes().unwrap()).unwrap();
    assert_eq!(bits(&loaded), bits(&saved));
    let [saved, loaded] = [0, 1].map(|_| Neuron::new(2, Activation::Tanh, &mut rng));
    loaded.load_bytes(&saved.to_bytes().unwrap()).unwrap();
    assert_eq!(bits(&loaded), bits(&saved));
}

#[test]
fn a_file_has_the_layout_of_a_state_dict() {
    let model = model(1);
    for (i, parameter) in model.parameters().iter().enumerate() {
        parameter.set_data(i as f64);
    }
    let bytes = model.to_bytes().unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap());
    let (header, data) = bytes[8..].split_at(usize::try_from(length).unwrap());
    let header = std::str::from_utf8(header).unwrap();
    assert!(
        header.starts_with(r#"{"__metadata__":{"format":"pt"},"#),
        "{header}"
    );
    for tensor in [
        r#""layers.0.weight":{"dtype":"F64","shape":[2,3]"#,
        r#""layers.0.bias":{"dtype":"F64","shape":[2]"#,
        r#""layers.1.weight":{"dtype":"F64","shape":[1,2]"#,
        r#""layers.1.bias":{"dtype":"F64","shape":[1]"#,
    ] {
        assert!(header.contains(tensor), "{header}");
    }
    let numbers = data
        .chunks(8)
        .map(|number| f64::from_le_bytes(number.try_into().unwrap()));
    // Sorted by name: each layer's biases before its weights, and the weights row by row.
    let expected = [3, 7, 0, 1, 2, 4, 5, 6, 10, 8, 9].map(f64::from);
    assert_eq!(numbers.collect::<Vec<_>>(), expected);
}

#[test]
fn float32_is_widened() {
    let neuron = Neuron::new(1, Activation::Linear, &mut micrograd::rng(0));
    let header = r#"{"bias":{"dtype":"F32","shape":[],"data_offsets":[0,4]},
        "weight":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#;
    let mut bytes = file(header, 0);
    bytes.extend(0.1_f32.to_le_bytes());
    bytes.extend((-3.5_f32).to_le_bytes());
    neuron.load_bytes(&bytes).unwrap();
    assert_eq!(neuron.bias().data(), f64::from(0.1_f32));
    assert_eq!(neuron.weights()[0].data(), -3.5);
}

#[test]
fn everything_that_does_not_fit_is_listed_at_once() {
    let model = model(1);
    let before = bits(&model);
    let header = r#"{"layers.0.weight":{"dtype":"F64","shape":[3,2],"data_offsets":[0,48]},
        "layers.0.bias":{"dtype":"I64","shape":[2],"data_offsets":[48,64]},
        "layers.1.weight":{"dtype":"F64","shape":[1,2],"data_offsets":[64,80]},
        "head.weight":{"dtype":"F64","shape":[1],"data_offsets":[80,88]}}"#;
    let mut bytes = file(header, 88);
    let nan_at = bytes.len() - 16;
    bytes[nan_at..nan_at + 8].copy_from_slice(&f64::NAN.to_le_bytes());
    let error = model.load_bytes(&bytes).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the file does not fit the module:
    layers.0.weight has the shape [3, 2], not [2, 3]
    layers.0.bias holds I64 numbers, not F64 or F32
    layers.1.weight[0, 1] is NaN
    layers.1.bias [1] is missing
    head.weight is only in the file"
    );
    assert_eq!(bits(&model), before);
}

#[test]
fn a_bad_file_is_refused_and_changes_nothing() {
    let good = model(2).to_bytes().unwrap();
    let with_length = |length: u64| {
        let mut bytes = good.clone();
        bytes[..8].copy_from_slice(&length.to_le_bytes());
        bytes
    };
    let huge =
        r#"{"layers.0.bias":{"dtype":"F64","shape":[4611686018427387904,4],"data_offsets":[0,8]}}"#;
    let overlap = r#"{"layers.0.bias":{"dtype":"F64","shape":[2],"data_offsets":[0,16]},
        "layers.0.weight":{"dtype":"F64","shape":[2,3],"data_offsets":[8,56]}}"#;
    let beyond = r#"{"layers.0.bias":{"dtype":"F64","shape":[2],"data_offsets":[0,16000]}}"#;
    let backwards = r#"{"layers.0.bias":{"dtype":"F64","shape":[2],"data_offsets":[16,0]}}"#;
    let cases: [(&str, Vec<u8>, &str); 14] = [
        ("empty", vec![], "not a safetensors file: header too small"),
        (
            "seven bytes",
            vec![1; 7],
            "not a safetensors file: header too small",
        ),
        (
            "truncated header",
            good[..40].to_vec(),
            "not a safetensors file: ",
        ),
        (
            "truncated data",
            good[..good.len() - 1].to_vec(),
            "not fully covered",
        ),
        ("more data", [&good[..], &[0]].concat(), "not fully covered"),
        ("absurd length", with_length(u64::MAX), "header too large"),
        (
            "length beyond the end",
            with_length(90_000_000),
            "invalid header length",
        ),
        ("length of 0", with_length(0), "not a safetensors file: "),
        (
            "a zip file",
            b"PK\x03\x04\x14\x00\x08\x08 archive/data.pkl".to_vec(),
            "not a safetensors file: ",
        ),
        ("not JSON", file("[1, 2, 3", 0), "not a safetensors file: "),
        ("absurd shape", file(huge, 8), "not a safetensors file: "),
        ("overlap", file(overlap, 56), "not a safetensors file: "),
        (
            "beyond the end",
            file(beyond, 16),
            "not a safetensors file: ",
        ),
        ("backwards", file(backwards, 16), "not a safetensors file: "),
    ];
    let model = model(1);
    let before = bits(&model);
    for (name, bytes, expected) in cases {
        let in_memory = model.load_bytes(&bytes).unwrap_err().to_string();
        assert!(in_memory.contains(expected), "{name}: {in_memory}");
        let path = path(name);
        fs::write(&path, &bytes).unwrap();
        let from_file = model.load(&path).unwrap_err().to_string();
        assert_eq!(from_file, format!("{}: {in_memory}", path.display()));
        assert_eq!(bits(&model), before, "{name}");
    }
}

#[test]
fn an_unreadable_file_is_an_error_that_names_it() {
    let model = model(1);
    let before = bits(&model);
    let missing = path("missing");
    let directory = path("directory");
    fs::create_dir_all(&directory).unwrap();
    let large = path("large");
    fs::File::create(&large).unwrap().set_len(1 << 40).unwrap(); // sparse
    for (path, expected) in [
        (missing, "No such file"),
        (directory.clone(), "directory"),
        (large.clone(), "far more than its parameters need"),
    ] {
        let error = model.load(&path).unwrap_err().to_string();
        assert!(error.starts_with(&path.display().to_string()), "{error}");
        assert!(error.contains(expected), "{error}");
        assert_eq!(bits(&model), before);
    }
    fs::remove_file(large).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let forbidden = path("forbidden");
        fs::write(&forbidden, "").unwrap();
        fs::set_permissions(&forbidden, PermissionsExt::from_mode(0o000)).unwrap();
        // The superuser can read it anyway.
        if fs::read(&forbidden).is_err() {
            let error = model.load(&forbidden).unwrap_err().to_string();
            assert!(error.contains("ermission denied"), "{error}");
        }
        fs::remove_file(forbidden).unwrap();
    }

    for path in [directory.clone(), directory.join("no such directory/model")] {
        let error = model.save(&path).unwrap_err().to_string();
        assert!(error.starts_with(&path.display().to_string()), "{error}");
    }
    assert_eq!(fs::read_dir(directory).unwrap().count(), 0);
}

#[test]
fn a_file_may_be_somewhat_larger_than_the_module_needs() {
    let neuron = |inputs| {
        let mut rng = micrograd::rng(0);
        Neuron::new(inputs, Activation::Linear, &mut rng)
    };
    // An unknown tensor of half a megabyte is read, and the error names it.
    let header = r#"{"other":{"dtype":"F64","shape":[65536],"data_offsets":[0,524288]}}"#;
    let other = path("other");
    fs::write(&other, file(header, 524_288)).unwrap();
    let error = neuron(1).load(&other).unwrap_err().to_string();
    assert!(error.contains("other is only in the file"), "{error}");
    // A large module has a large file.
    let large = path("large module");
    neuron(300_000).save(&large).unwrap();
    neuron(300_000).load(&large).unwrap();
    let error = neuron(1).load(&large).unwrap_err().to_string();
    assert!(
        error.contains("far more than its parameters need"),
        "{error}"
    );
}

#[test]
fn a_save_replaces_the_file_and_leaves_nothing_beside_it() {
    let directory = path("replaced");
    let _ = fs::remove_dir_all(&directory); // left by an earlier run
    fs::create_dir_all(&directory).unwrap();
    let path = directory.join("model");
    fs::write(&path, vec![1; 100_000]).unwrap();
    // An open handle still reads the old file.
    let old = fs::File::open(&path).unwrap();
    model(1).save(&path).unwrap();
    assert_eq!(old.metadata().unwrap().len(), 100_000);
    assert_eq!(fs::read(&path).unwrap(), model(1).to_bytes().unwrap());
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let usual = directory.join("usual");
        fs::write(&usual, "").unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&path), mode(&usual));

        // An existing file keeps its permissions, and a link still leads to it.
        fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        fs::remove_file(&usual).unwrap();
        std::os::unix::fs::symlink("model", &usual).unwrap();
        model(2).save(&usual).unwrap();
        assert_eq!(fs::read(&path).unwrap(), model(2).to_bytes().unwrap());
        assert_eq!(mode(&path) & 0o777, 0o600);
        assert!(fs::symlink_metadata(&usual).unwrap().is_symlink());
        // The same holds for a link to a file that does not exist yet.
        fs::remove_file(&path).unwrap();
        model(3).save(&usual).unwrap();
        assert_eq!(fs::read(&path).unwrap(), model(3).to_bytes().unwrap());
        fs::remove_file(&usual).unwrap();
        std::os::unix::fs::symlink("usual", &usual).unwrap();
        let error = model(3).save(&usual).unwrap_err().to_string();
        assert!(error.contains("symbolic links"), "{error}");
        fs::remove_file(usual).unwrap();
    }
}

#[test]
fn a_file_name_alone_is_in_the_current_directory() {
    let name = format!("micrograd-test-{}.safetensors", std::process::id());
    model(1).save(&name).unwrap();
    let loaded = model(2).load(&name);
    fs::remove_file(name).unwrap();
    loaded.unwrap();
}

struct Twice;

impl Module for Twice {
    fn blocks(&self) -> Vec<Block> {
        vec![
            Block::new("w", &[], vec![Value::new(1.0)]),
            Block::new("w", &[], vec![Value::new(2.0)]),
        ]
    }
}

#[test]
fn two_blocks_of_the_same_name_are_neither_saved_nor_loaded() {
    let header = r#"{"w":{"dtype":"F64","shape":[],"data_offsets":[0,8]}}"#;
    let errors = [
        Twice.to_bytes().map(drop),
        Twice.load_bytes(&file(header, 8)),
        Twice.load(path("twice")),
    ];
    for error in errors {
        let error = error.unwrap_err().to_string();
        assert!(
            error.ends_with("two blocks of the module are called w"),
            "{error}"
        );
    }
}

#[test]
fn a_file_that_could_not_be_loaded_is_not_saved() {
    let path = path("diverged");
    model(1).save(&path).unwrap();
    let diverged = model(2);
    diverged.blocks()[2].values()[1].set_data(f64::NAN);
    let error = diverged.save(&path).unwrap_err().to_string();
    let expected = format!("{}: layers.1.weight[0, 1] is NaN", path.display());
    assert_eq!(error, expected);
    assert_eq!(fs::read(&path).unwrap(), model(1).to_bytes().unwrap());
}

#[test]
fn a_guard_is_a_callers_mistake_and_changes_nothing() {
    let model = model(1);
    let bytes = self::model(2).to_bytes().unwrap();
    let before = bits(&model);
    let parameters = model.parameters();
    let guard = parameters[parameters.len() - 1].borrow();
    let (message, line) = panic_of(|| drop(model.load_bytes(&bytes)));
    assert_eq!(line, line!() - 1);
    drop(guard);
    assert!(
        message.contains("a guard of layers.1.bias[0] is alive"),
        "{message}"
    );
    assert_eq!(bits(&model), before);
}
