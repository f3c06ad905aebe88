//! Checkpoints across processes: training resumes with the same bits, and a kill in the middle of a
//! save leaves a complete file.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use micrograd::checkpoint;
use micrograd::nn::Module;
use micrograd::optim::Optimizer;
use micrograd_proofs::checkpoints::pair;

fn directory(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&directory); // of an earlier run
    fs::create_dir_all(&directory).unwrap();
    directory
}

/// The bits of the parameters, after a process has trained from one epoch to another.
fn train(setting: &str, mode: &str, from: &str, to: &str, path: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_resume"))
        .args([setting, mode, from, to, path])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{setting}, {mode}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn ten_epochs_and_ten_more_in_a_new_process_are_twenty_in_a_row() {
    let directory = directory("resume");
    let [whole, broken] = ["whole", "broken"].map(|name| directory.join(name));
    let [whole, broken] = [&whole, &broken].map(|path| path.to_str().unwrap());
    let csv = include_str!("../../tests/pytorch/optimizers.csv");
    let settings = csv
        .lines()
        .skip(1)
        .filter_map(|line| line.split(',').next());
    let settings: BTreeSet<_> = settings.collect();
    assert_eq!(settings.len(), 25);
    for setting in settings {
        for mode in ["eager", "tape"] {
            let in_a_row = train(setting, mode, "0", "20", whole);
            let half = train(setting, mode, "0", "10", broken);
            assert_ne!(half, in_a_row, "{setting}, {mode}");
            let continued = train(setting, mode, "10", "20", broken);
            assert_eq!(continued, in_a_row, "{setting}, {mode}");
            let files = [whole, broken].map(|path| fs::read(path).unwrap());
            assert_eq!(files[0], files[1], "{setting}, {mode}");
        }
    }
}

#[test]
fn a_kill_in_the_middle_of_a_save_leaves_a_complete_file() {
    let path = directory("saver").join("checkpoint");
    let expected = [1, 2].map(|seed| {
        let (model, optim) = pair(seed);
        (model.numbers(), optim.state())
    });
    for i in 0..60 {
        let mut saver = Command::new(env!("CARGO_BIN_EXE_saver"))
            .arg(&path)
            .spawn()
            .unwrap();
        while !path.exists() {
            assert!(saver.try_wait().unwrap().is_none(), "it saved nothing");
        }
        thread::sleep(Duration::from_micros(137 * i)); // so that the kill falls anywhere in a save
        saver.kill().unwrap();
        saver.wait().unwrap();

        let (model, mut optim) = pair(0);
        let note = checkpoint::load(&path, &model, &mut optim).unwrap();
        let (numbers, state) = &expected[note.parse::<usize>().unwrap()];
        assert_eq!((&model.numbers(), &optim.state()), (numbers, state));
    }
}
