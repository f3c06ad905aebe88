//! Files with random faults: loading one changes all parameters or none, and never panics.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use micrograd::checkpoint;
use micrograd::nn::{MLP, Module};
use micrograd::optim::Optimizer;
use micrograd_proofs::checkpoints::pair;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngSeed};

/// The ways in which a file is damaged.
#[derive(Clone, Debug)]
enum Fault {
    Flip(Index, u8),
    Remove(Index, usize),
    Insert(Index, Vec<u8>),
    Truncate(Index),
    /// Replaces one byte of the header with one that the format uses.
    Retype(Index, u8),
}

fn fault() -> impl Strategy<Value = Fault> {
    let index = any::<Index>;
    prop_oneof![
        2 => (index(), 0..8_u8).prop_map(|(at, bit)| Fault::Flip(at, 1 << bit)),
        1 => (index(), 1..20_usize).prop_map(|(at, count)| Fault::Remove(at, count)),
        1 => (index(), vec(any::<u8>(), 1..20)).prop_map(|(at, bytes)| Fault::Insert(at, bytes)),
        1 => index().prop_map(Fault::Truncate),
        4 => (index(), proptest::sample::select(&b"0123456789[]{},:\" FIU"[..]))
            .prop_map(|(at, byte)| Fault::Retype(at, byte)),
    ]
}

impl Fault {
    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        match self {
            Self::Flip(at, mask) => {
                let at = at.index(bytes.len());
                bytes[at] ^= mask;
            }
            Self::Remove(at, count) => {
                let start = at.index(bytes.len());
                let end = bytes.len().min(start + count);
                bytes.drain(start..end);
            }
            Self::Insert(at, new) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, new.iter().copied());
            }
            Self::Truncate(at) => bytes.truncate(at.index(bytes.len())),
            Self::Retype(at, byte) => {
                let at = at.index(bytes.len().min(400)); // in the header
                bytes[at] = *byte;
            }
        }
    }
}

fn break_file(good: &[u8], faults: &[Fault]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for fault in faults {
        fault.apply(&mut bytes);
    }
    bytes
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

static GOOD_CHECKPOINT: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let path = path("good checkpoint");
    let (model, optim) = pair(1);
    checkpoint::save(&path, &model, &optim, "note").unwrap();
    fs::read(path).unwrap()
});

fn model(seed: u64) -> MLP {
    MLP::new(2, &[3, 1], &mut micrograd::rng(seed))
}

fn numbers(model: &MLP) -> Vec<u64> {
    let parameters = model.parameters().into_iter();
    parameters
        .map(|parameter| parameter.data().to_bits())
        .collect()
}

proptest! {
    #![proptest_config(Config {
        cases: 20_000,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..Config::default()
    })]

    #[test]
    fn a_faulty_file_is_refused_as_a_whole_or_loaded_as_a_whole(faults in vec(fault(), 1..4)) {
        let bytes = break_file(&model(1).to_bytes().unwrap(), &faults);
        let model = model(2);
        let before = numbers(&model);
        if let Err(error) = model.load_bytes(&bytes) {
            prop_assert_eq!(numbers(&model), before);
            prop_assert!(!error.to_string().is_empty());
        } else {
            // Only the numbers were hit, or parts that the header may omit.
            prop_assert!(model.parameters().iter().all(|p| p.data().is_finite()));
            let mut reread = model.to_bytes().unwrap();
            let tail = bytes.len() - 13 * 8;
            prop_assert_eq!(reread.split_off(reread.len() - 13 * 8), &bytes[tail..]);
        }
    }
}

proptest! {
    #![proptest_config(Config {
        cases: 5_000,
        rng_seed: RngSeed::Fixed(2),
        failure_persistence: None,
        ..Config::default()
    })]

    #[test]
    fn a_faulty_checkpoint_is_refused_as_a_whole_or_loaded_as_a_whole(
        faults in vec(fault(), 1..4),
    ) {
        let path = path("faulty checkpoint");
        fs::write(&path, break_file(&GOOD_CHECKPOINT, &faults)).unwrap();
        let (model, mut optim) = pair(2);
        let before = (numbers(&model), optim.state());
        if let Err(error) = checkpoint::load(&path, &model, &mut optim) {
            prop_assert_eq!((numbers(&model), optim.state()), before);
            prop_assert!(error.to_string().contains("faulty checkpoint: "));
        } else {
            prop_assert!(model.numbers().iter().all(|number| number.is_finite()));
            prop_assert!(optim.state().values().flatten().all(|number| number.is_finite()));
            prop_assert!(checkpoint::save(&path, &model, &optim, "note").is_ok());
        }
    }
}
