//! The content of a picture: cards, and which of them read which.

use std::collections::HashMap;

use super::card::Card;
use super::graph::{Graph, Item};

/// Cards, the result first, each of which reads others.
pub(super) struct Sketch {
    pub(super) cards: Vec<Card>,
    /// The number of nodes in the graph, and how many of them the cards stand for.
    nodes: usize,
    shown: usize,
}

impl Sketch {
    /// The part of the graph that fits into this many cards.
    pub(super) fn of(graph: &Graph, max_nodes: usize) -> Self {
        let items = graph.nearest(max_nodes);
        let places: HashMap<_, _> = items.iter().copied().zip(0..).collect();
        let mut shown = vec![false; graph.order.nodes().len()];
        for &item in &items {
            graph.mark(item, &mut shown);
        }

        let mut cards: Vec<_> = items.iter().map(|&item| card(item, graph)).collect();
        for (place, &item) in items.iter().enumerate() {
            let rest = cards.len();
            let mut left_out = 0;
            for operand in graph.operands(item) {
                let shown = places.get(&operand).copied();
                left_out += usize::from(shown.is_none());
                // One card stands for all that are left out, where the first of them would be.
                if shown.is_some() || left_out == 1 {
                    cards[place].operands.push(shown.unwrap_or(rest));
                }
            }
            if left_out > 0 {
                cards.push(Card::of_rest(left_out));
            }
        }
        Self {
            cards,
            nodes: graph.order.nodes().len(),
            shown: shown.into_iter().filter(|&is_shown| is_shown).count(),
        }
    }

    /// How many nodes are shown, if not all are.
    pub(super) fn caption(&self) -> Option<String> {
        let Self { nodes, shown, .. } = self;
        (shown < nodes).then(|| format!("{shown} of {nodes} nodes are shown"))
    }
}

fn card(item: Item, graph: &Graph) -> Card {
    let card = match item {
        Item::Node(position) => Card::of_node(graph.node(position), graph),
        Item::Layer(layer) => Card::of_layer(layer, graph),
        Item::Constant(position, side) => Card::of_constant(graph.constant(position, side)),
    };
    Card {
        item: Some(item),
        ..card
    }
}
