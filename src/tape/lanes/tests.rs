//! Every row of the table on lanes, and on tapes.

use std::iter;

use super::*;
use crate::common::bits::assert_same_bits;
use crate::common::close::assert_close;
use crate::engine::Value;
use crate::engine::tests::apply_to_nodes;
use crate::ops::Arity;
use crate::ops::tests::{EDGES, XS, YS, pairs, passed_down};
use crate::tape::Tape;

/// Every pair of edges and ordinary numbers, in lanes.
fn pairs_in_lanes<const N: usize>() -> Vec<[Lanes<N>; 2]> {
    let numbers: Vec<f64> = EDGES.into_iter().chain(XS).chain(YS).collect();
    let pairs: Vec<_> = numbers
        .iter()
        .flat_map(|&x| numbers.iter().map(move |&y| [x, y]))
        .collect();
    pairs
        .chunks(N)
        .map(|pairs| {
            [0, 1].map(|side| {
                let mut lanes = Lanes::default();
                for (lane, pair) in lanes.lanes_mut().iter_mut().zip(pairs) {
                    *lane = pair[side];
                }
                lanes
            })
        })
        .collect()
}

/// Asserts the same bits in every lane; all NaNs count as equal.
#[track_caller]
fn assert_same<const N: usize>(lanes: &Lanes<N>, of_lane: impl Fn(usize) -> f64, what: &str) {
    for (lane, &ours) in lanes.lanes().iter().enumerate() {
        assert_same_bits(ours, of_lane(lane), &format!("{what}, lane {lane}"));
    }
}

fn lanes_compute_what_a_single_number_does<const N: usize>() {
    let g = Lanes::<N>::from(1.5);
    for [x, y] in pairs_in_lanes::<N>() {
        let at = |lane: usize| (x.lanes()[lane], y.lanes()[lane]);
        for &op in Op::ALL {
            let out = Lanes::apply(op, &x, &y);
            let value = |lane| {
                let (x, y) = at(lane);
                op.value(x, y)
            };
            assert_same(&out, value, &format!("{op:?}"));
            let part = |lane, side: usize| {
                let (x, y) = at(lane);
                passed_down(op, x, y, 1.5)[side]
            };
            if op.passes_to_x() {
                let ours = op.lanes_vjp_x(&x, &y, &out, &g);
                assert_same(&ours, |lane| part(lane, 0), &format!("{op:?} dx"));
            }
            if op.arity() == Arity::Binary && op.passes_to_y() {
                let ours = op.lanes_vjp_y(&x, &y, &out, &g);
                assert_same(&ours, |lane| part(lane, 1), &format!("{op:?} dy"));
            }
        }
    }
}

#[test]
fn lanes_of_every_width_compute_what_a_single_number_does() {
    lanes_compute_what_a_single_number_does::<4>();
    lanes_compute_what_a_single_number_does::<32>();
}

#[test]
fn tapes_compute_what_a_single_number_does() {
    let rows: Vec<_> = pairs().map(|(x, y)| [x, y]).collect();
    for &op in Op::ALL {
        // The parameter of an operation is recorded, so it is the same in all rows.
        let rows_of = |parameter: f64| -> Vec<[f64; 2]> {
            let same = rows
                .iter()
                .filter(|row| row[1].to_bits() == parameter.to_bits());
            same.copied().collect()
        };
        if op.arity() == Arity::Parametric {
            for parameter in EDGES.into_iter().chain(YS) {
                a_tape_computes_what_a_single_number_does(op, &rows_of(parameter));
            }
        } else {
            a_tape_computes_what_a_single_number_does(op, &rows);
        }
    }
}

/// Checks two tapes: one with both arguments as inputs, and one with both as parameters.
fn a_tape_computes_what_a_single_number_does(op: Op, rows: &[[f64; 2]]) {
    let [x_node, y_node] = rows[0].map(Value::new);
    let output = apply_to_nodes(op, &x_node, &y_node);
    let of_inputs = Tape::record(&[x_node.clone(), y_node.clone()], &output);
    let of_parameters = Tape::record(&[], &output);
    for (&[x, y], out) in iter::zip(rows, of_inputs.forward(rows)) {
        let what = format!("{op:?}({x}, {y}) on a tape");
        let theirs = op.value(x, y);
        assert_same_bits(out, theirs, &what);
        let gradient = passed_down(op, x, y, 1.0);

        let (out, by_tape) = of_inputs.gradient(&[x, y]);
        assert_same_bits(out, theirs, &what);
        for node in [&x_node, &y_node] {
            node.zero_grad();
        }
        x_node.set_data(x);
        y_node.set_data(y);
        assert_close(of_parameters.backward(&[[]]), theirs, 0.0, &what);
        let to_parameters = [x_node.grad(), y_node.grad()];
        for (i, theirs) in gradient.into_iter().enumerate() {
            assert_close(by_tape[i], theirs, 0.0, &format!("{what}, input {i}"));
            assert_close(
                to_parameters[i],
                theirs,
                0.0,
                &format!("{what}, parameter {i}"),
            );
        }
    }
}
