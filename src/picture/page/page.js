
// ── the graph ───────────────────────────────────────────────────────────────────────────────────

const root = [...nodes.keys()].at(-1);
const original = new Map([...nodes].map(([id, node]) => [id, node.value]));

const isConstant = (operand) => typeof operand === "object";
const valueOf = (operand) => isConstant(operand) ? operand.constant : nodes.get(operand)?.value;
const nameOf = (operand) => isConstant(operand) ? inFormula(operand.constant) : nodes.get(operand)?.name ?? `#${operand}`;

// The arguments of a node with the rule that each follows. In a sum, the rules are those of * and +.
function edgesOf(id) {
    const { operation, operands, terms } = nodes.get(id);
    if (operation) {
        const [x, y] = operands;
        return operands.map((operand, side) => ({ user: id, operand, operation, side, x, y }));
    }
    return (terms ?? []).flatMap(([x, y]) => y === undefined
        ? [{ user: id, operand: x, operation: "add", side: 0, x, y: { constant: 0 } }]
        : [x, y].map((operand, side) => ({ user: id, operand, operation: "mul", side, x, y })));
}

// For each node, the edges that bring it a part of its gradient, from its last user to the first.
const partsOf = new Map([...nodes.keys()].map((id) => [id, []]));
for (const id of [...nodes.keys()].reverse()) {
    for (const edge of edgesOf(id)) {
        if (operations[edge.operation].gradients[edge.side] && !isConstant(edge.operand)) {
            partsOf.get(edge.operand)?.push(edge);
        }
    }
}

function forward(node) {
    if (node.operation) {
        const [x, y] = node.operands.map(valueOf);
        return operations[node.operation].value(x, y);
    }
    const add = (sum, [x, y]) => sum + (y === undefined ? valueOf(x) : valueOf(x) * valueOf(y));
    return node.terms ? node.terms.reduce(add, 0) : node.value;
}

// The part of a user's gradient that comes along an edge, null if the user has none.
function partOf({ user, operation, side, x, y }) {
    const { value, gradient } = nodes.get(user);
    const rule = operations[operation].gradients[side];
    return gradient === null ? null : rule(valueOf(x), valueOf(y), value, gradient);
}

// All values and gradients anew. The nodes are in topological order.
function recompute() {
    for (const node of nodes.values()) {
        node.value = forward(node);
    }
    for (const id of [...nodes.keys()].reverse()) {
        const parts = partsOf.get(id).map(partOf).filter((part) => part !== null);
        const sum = parts.reduce((sum, part) => sum + part, 0);
        nodes.get(id).gradient = id === root ? 1 : parts.length > 0 ? sum : null;
    }
}

// ── texts ───────────────────────────────────────────────────────────────────────────────────────

function short(number) {
    const text = Object.is(number, -0) ? "-0" : String(Number(number.toPrecision(4)));
    return text.replace("Infinity", "inf").replace("e+", "e");
}

// A negative number has parentheses in a formula. One that is not on the page is left open.
function inFormula(number) {
    if (number === undefined) {
        return "…";
    }
    const text = short(number);
    return text.startsWith("-") ? `(${text})` : text;
}

const gradientText = (gradient) => short(gradient ?? 0);

// A formula with texts in the places of its variables.
function substitute(formula, variables) {
    return formula.replace(/[\p{L}_][\p{L}\p{N}_]*/gu, (word) => variables.get(word) ?? word);
}

const MOST_TERMS = 6;

function joined(texts, count = texts.length) {
    const shown = texts.slice(0, MOST_TERMS).join(" + ");
    return count > MOST_TERMS ? `${shown} + … (${count} terms)` : shown;
}

// How a node was computed, with its operands as texts.
function formulaOf({ operation, operands, terms, count }, textOf) {
    if (operation) {
        const { parameters, value } = formulas[operation];
        return substitute(value, new Map(parameters.map((name, i) => [name, textOf(operands[i])])));
    }
    return joined(terms.map((term) => term.map(textOf).join(" · ")), count);
}

const inNumbers = (operand) => inFormula(valueOf(operand));

// The rule that an edge follows. An operation on a constant has rules of its own, with the number.
function ruleOf({ user, operation, side }) {
    return (nodes.get(user).rules ?? formulas[operation].gradients)[side];
}

function ruleInNumbers(edge) {
    const { user, operation, x, y } = edge;
    const { value, gradient } = nodes.get(user);
    const [first, second] = formulas[operation].parameters;
    const numbers = [[first, valueOf(x)], [second, valueOf(y)], ["out", value], ["g", gradient]];
    const texts = numbers.map(([name, number]) => [name, inFormula(number)]);
    const text = substitute(ruleOf(edge), new Map(texts));
    return text.replace(/^\((-[^()]*)\)$/, "$1"); // a number alone has no parentheses
}

// ── the picture ─────────────────────────────────────────────────────────────────────────────────

const stage = document.getElementById("stage");
const panel = document.getElementById("panel");
const button = (id) => document.getElementById(id);

let view = 0; // which of the views is shown
let svg;
let elements = []; // of the cards
let steps = []; // { card, isBackward }
let step = 0; // how many of them have been done
let hasStepped = false; // or whether the view is as it was opened
let selected = null; // a card
let timer = null;

const cards = () => views[view].cards;
const cardOf = (id) => cards().findIndex(({ node, outputs }) => node === id || outputs?.includes(id));
const hasGradient = ({ node, outputs }) =>
    [node, ...outputs ?? []].some((id) => id !== undefined && nodes.get(id).gradient !== null);

function show(index) {
    const wasFinished = isFinished();
    view = index;
    stage.replaceChildren(document.getElementById(`view-${index}`).content.cloneNode(true));
    svg = stage.querySelector("svg");
    elements = [...svg.querySelectorAll("[data-card]")];
    elements.forEach((element, i) => {
        element.addEventListener("click", () => hasMoved || choose(i));
        element.classList.toggle("rest", cards()[i].isRest ?? false);
        for (const text of element.querySelectorAll("text:not([font-weight])")) {
            text.classList.toggle("gradient", text.textContent.startsWith("grad "));
            text.classList.toggle("data", text.textContent.startsWith("data "));
        }
    });
    const order = topologicalOrder();
    const backward = [...order].reverse().filter((card) => hasGradient(cards()[card]));
    steps = [
        ...order.filter((card) => cards()[card].operands.length > 0).map((card) => ({ card, isBackward: false })),
        ...backward.map((card) => ({ card, isBackward: true })),
    ];
    step = wasFinished ? steps.length : 0;
    button("collapse").hidden = index === 0;
    button("expand").hidden = index !== 0 || !views.some(({ expanded }) => expanded === "all");
    fit();
    write();
}

// The cards, each after its operands.
function topologicalOrder() {
    const order = [];
    const seen = new Set();
    const waiting = [[0, false]];
    while (waiting.length > 0) {
        const [card, isDone] = waiting.pop();
        if (isDone) {
            order.push(card);
        } else if (!seen.has(card)) {
            seen.add(card);
            waiting.push([card, true], ...[...cards()[card].operands].reverse().map((operand) => [operand, false]));
        }
    }
    return order;
}

// The cards to which one of the passes has not come yet.
function pending(isBackward) {
    const coming = steps.slice(step).filter((next) => next.isBackward === isBackward);
    return new Set(coming.map(({ card }) => card));
}

// Writes the numbers on the cards, and shows what has been reached.
function write() {
    const near = selected === null ? [] : cards()[selected].operands;
    const [notReached, withoutGradient] = [pending(false), pending(true)];
    elements.forEach((element, i) => {
        const { node, outputs, operands } = cards()[i];
        const isReached = !notReached.has(i);
        const users = selected === null ? false : operands.includes(selected);
        element.classList.toggle("pale", !isReached);
        element.classList.toggle("pale-gradient", withoutGradient.has(i));
        element.classList.toggle("selected", i === selected);
        element.classList.toggle("operand", near.includes(i));
        element.classList.toggle("user", users);
        const shown = node === undefined ? outputs ?? [] : [node];
        const list = (textOf) =>
            shown.slice(0, 3).map((id) => textOf(nodes.get(id))).join(", ") + (shown.length > 3 ? ", …" : "");
        const data = list(({ value }) => short(value));
        const gradient = list(({ gradient }) => gradientText(gradient));
        element.querySelectorAll(".data").forEach((text) => text.textContent = `data ${data}`);
        element.querySelectorAll(".gradient").forEach((text) => text.textContent = `grad ${gradient}`);
        const numbers = shown.length > 0 ? `, value ${data}, gradient ${gradient}` : "";
        element.setAttribute("aria-label", labelOf(cards()[i]) + numbers + (isReached ? "" : ", not yet reached"));
        element.setAttribute("aria-pressed", i === selected);
    });
    for (const path of svg.querySelectorAll("path")) {
        const [from, to] = [path.dataset.from, path.dataset.to].map((card) => card && Number(card));
        const isNear = from === selected || to === selected && selected !== null;
        path.classList.toggle("near", isNear);
        path.classList.toggle("pale", notReached.has(from));
    }
    const isBackward = step > 0 && steps[step - 1].isBackward;
    const phase = step === 0 ? "start" : isFinished() ? "done" : isBackward ? "backward" : "forward";
    button("progress").textContent = `step ${step} of ${steps.length}, ${phase}`;
    button("play").textContent = timer === null ? "play" : "pause";
    button("play").setAttribute("aria-label", timer === null ? "play" : "pause");
    button("reset").hidden = ![...nodes].some(([id, { value, operation, terms }]) =>
        !operation && !terms && !Object.is(value, original.get(id)));
}

function labelOf({ node, name, constant, title }) {
    return node !== undefined ? nodes.get(node).name : name ?? (constant !== undefined ? `constant ${short(constant)}` : title);
}

// ── the panel ───────────────────────────────────────────────────────────────────────────────────

function element(tag, properties, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
}

const line = (...children) => element("p", {}, ...children);
const code = (text) => element("code", {}, text);

// A button that chooses the card of a node.
function link(id) {
    const card = isConstant(id) ? -1 : cardOf(id);
    if (card < 0) {
        return code(nameOf(id));
    }
    const made = element("button", { className: "link", type: "button" }, nameOf(id));
    made.addEventListener("click", () => choose(card, id));
    return made;
}

// Chooses a card. A layer is expanded, if there is a picture for that; another card shows the panel
// of its node, or of the given one among its outputs.
function choose(card, id = cards()[card].node) {
    const { layer } = cards()[card];
    const expanded = views.findIndex(({ expanded }) => layer !== undefined && expanded === layer);
    if (id === undefined && expanded >= 0) {
        expand(expanded);
        return;
    }
    selected = card;
    explain(card, id);
    write();
}

function expand(index) {
    selected = null;
    hasStepped = false;
    stop();
    show(index);
    overview();
}

function overview() {
    const { expanded } = views[view];
    const name = views[0].cards.find(({ layer }) => layer !== undefined && layer === expanded)?.name;
    panel.replaceChildren(
        element("h2", {}, nameOf(root)),
        line(`A graph of ${nodeCount} nodes. Its result is ${short(valueOf(root))}.`),
        line("Click a box, or press → for each step: first forward, then backward."),
        line(isLive
            ? "The number of a leaf can be changed."
            : "The graph is large, so numbers cannot be changed here."),
        line("In a rule, x and y are the operation's arguments, out is its result, and g the gradient that has " +
            "arrived there. d is a derivative over all paths, ∂ the one of a single operation."),
        ...name === undefined ? [] : [line(`${name} is drawn node by node.`)],
    );
}

function explain(card, id) {
    const { layer, name, outputs, title, constant, isRest } = cards()[card];
    const done = steps[step - 1];
    const heading = done?.card === card && step < steps.length
        ? [line(element("strong", {}, done.isBackward ? "Its gradient is complete." : "Just computed."))]
        : [];
    if (id !== undefined) {
        panel.replaceChildren(...heading, ...aboutNode(id, card));
    } else if (layer !== undefined) {
        const items = outputs.map((id) => element("li", {}, link(id),
            ` ${short(valueOf(id))}, gradient ${gradientText(nodes.get(id).gradient)}`));
        panel.replaceChildren(...heading, element("h2", {}, name), line(title), element("ul", {}, ...items));
    } else {
        const about = isRest ? "These are not drawn." : "A constant of the expression: no gradient goes to it.";
        panel.replaceChildren(element("h2", {}, isRest ? title : `constant ${short(constant)}`), line(about));
    }
}

function aboutNode(id, card = cardOf(id)) {
    const node = nodes.get(id);
    const { name, operation, terms, operands, value } = node;
    const isLeaf = !operation && !terms;
    const about = [element("h2", {}, name)];
    if (isLeaf) {
        about.push(line(node.isParameter ? "A parameter." : "A leaf: a number that was not computed."));
        about.push(line(code(`${name} = ${short(value)}`)));
        about.push(...isLive ? [editor(id)] : []);
    } else {
        const [names, numbers] = [nameOf, inNumbers].map((textOf) => formulaOf(node, textOf));
        about.push(line(code(`${name} = ${names}`)), line(code(`= ${numbers}`)), line(code(`= ${short(value)}`)));
        const read = (operands ?? terms.flat()).slice(0, 2 * MOST_TERMS);
        about.push(line("reads ", ...read.flatMap((operand) => [link(operand), " "])));
    }
    if (node.line) {
        about.push(line("made at ", code(node.line)));
    }
    const gradient = pending(true).has(card) ? [line("The backward pass has not come here yet.")] : aboutGradient(id);
    about.push(element("h3", {}, "gradient"), ...gradient);
    if (!isLeaf) {
        about.push(element("h3", {}, operation ? `rule of ${operation}` : "rules of a sum"), ...aboutRule(node));
    }
    return about;
}

// dL/da as the sum over its users, in symbols and in numbers: d for the derivative over all paths, ∂
// for the one of a single operation.
function aboutGradient(id) {
    const result = nameOf(root);
    const derivative = `d${result}/d${nameOf(id)}`;
    if (id === root) {
        return [line(code(`${derivative} = 1`)), line("The backward pass starts here.")];
    }
    const edges = partsOf.get(id).filter(({ user }) => nodes.get(user).gradient !== null);
    const { gradient } = nodes.get(id);
    if (gradient === null) {
        return [line("No gradient arrives here.")];
    }
    const product = ({ user }) => `d${result}/d${nameOf(user)} · ∂${nameOf(user)}/∂${nameOf(id)}`;
    const items = edges.slice(0, 50).map((edge) => {
        const [rule, numbers] = [ruleOf(edge), ruleInNumbers(edge)];
        const isKnown = !numbers.includes("…");
        const texts = [rule, numbers, ...isKnown ? [short(partOf(edge))] : []];
        const text = texts.filter((text, i) => text !== texts[i - 1]).join(" = ");
        return element("li", {}, "from ", link(edge.user), ": ", code(text));
    });
    const more = edges.length > items.length ? [line(`and from ${edges.length - items.length} more`)] : [];
    const missing = isLive ? [] : [line("There may be users that are not drawn.")];
    return [
        ...edges.length > 0 ? [line(code(`${derivative} = ${joined(edges.map(product))}`))] : [],
        element("ul", {}, ...items),
        ...more,
        ...missing,
        line(code(`${derivative} = ${short(gradient)}`)),
    ];
}

function aboutRule({ operation }) {
    const names = operation ? [operation] : ["mul", "add"];
    return names.flatMap((name) => {
        const { parameters, value, gradients } = formulas[name];
        const rules = gradients.slice(0, parameters.length).map((rule, i) =>
            line(code(`${parameters[i]} receives ${rule ?? "nothing"}`)));
        return [line(code(`out = ${value}`)), ...rules];
    });
}

// ── numbers that change ─────────────────────────────────────────────────────────────────────────

function parsed(text) {
    const number = Number(text.trim().replace(/∞|inf(inity)?/i, "Infinity"));
    const isNumber = text.trim() !== "" && (!Number.isNaN(number) || text.trim().toLowerCase() === "nan");
    return isNumber ? number : null;
}

function editor(id) {
    const { name, value } = nodes.get(id);
    const middle = Number.isFinite(original.get(id)) ? original.get(id) : 0;
    const reach = 2 * Math.abs(middle) || 1;
    const text = element("input", { type: "text", value: String(value), ariaLabel: `number of ${name}` });
    const slider = element("input", {
        type: "range", min: middle - reach, max: middle + reach, step: reach / 200, value, ariaLabel: `slider of ${name}`,
    });
    const change = (number) => {
        nodes.get(id).value = number;
        recompute();
        write();
        const about = aboutNode(id);
        const kept = panel.querySelector(".editor");
        panel.replaceChildren(...about.map((part) => part.className === "editor" ? kept : part));
    };
    text.addEventListener("input", () => {
        const number = parsed(text.value);
        text.classList.toggle("wrong", number === null);
        if (number !== null) {
            change(number);
            slider.value = number;
            text.focus();
        }
    });
    slider.addEventListener("input", () => {
        change(Number(slider.value));
        text.value = slider.value;
        slider.focus();
    });
    return element("div", { className: "editor" }, text, slider);
}

function reset() {
    original.forEach((value, id) => nodes.get(id).value = value);
    recompute();
    write();
    if (selected !== null) {
        explain(selected, cards()[selected].node);
    }
}

// ── steps ───────────────────────────────────────────────────────────────────────────────────────

function go(to) {
    hasStepped = true;
    step = Math.min(Math.max(to, 0), steps.length);
    const done = steps[step - 1];
    selected = done?.card ?? null;
    if (done) {
        explain(done.card, cards()[done.card].node);
        reveal(done.card);
    } else {
        overview();
    }
    if (isFinished()) {
        stop();
    }
    write();
}

const isFinished = () => step === steps.length;

function stop() {
    clearInterval(timer);
    timer = null;
}

function play() {
    if (timer !== null) {
        stop();
        write();
        return;
    }
    if (isFinished()) {
        go(0);
    }
    timer = setInterval(() => go(step + 1), 900);
    write();
}

// ── moving about ────────────────────────────────────────────────────────────────────────────────

let box; // the part of the picture that is seen
let hasMoved = false; // between the last press of a pointer and its release
let isWhole = false; // whether the reader asked for the whole graph

function look(x, y, width, height) {
    box = { x, y, width, height };
    svg.setAttribute("viewBox", `${x} ${y} ${width} ${height}`);
}

function fit() {
    look(0, 0, Number(svg.getAttribute("width")), Number(svg.getAttribute("height")));
}

// Moves the picture so that a card is seen, and makes it larger if its text is too small to read.
function reveal(card) {
    const scale = svg.getScreenCTM().a;
    if (scale < 0.7 && !isWhole) {
        zoomInTheMiddle(1 / scale);
    }
    const [seen, at] = [stage, elements[card]].map((element) => element.getBoundingClientRect());
    const isSeen = at.left >= seen.left && at.right <= seen.right && at.top >= seen.top && at.bottom <= seen.bottom;
    if (!isSeen && !isWhole) {
        const { a } = svg.getScreenCTM();
        const dx = (at.left + at.right - seen.left - seen.right) / 2;
        const dy = (at.top + at.bottom - seen.top - seen.bottom) / 2;
        look(box.x + dx / a, box.y + dy / a, box.width, box.height);
    }
}

// Makes the picture larger by a factor, around a point on the screen.
function zoom(factor, clientX, clientY) {
    isWhole = false;
    const at = new DOMPoint(clientX, clientY).matrixTransform(svg.getScreenCTM().inverse());
    const { x, y, width, height } = box;
    look(at.x - (at.x - x) / factor, at.y - (at.y - y) / factor, width / factor, height / factor);
}

function zoomInTheMiddle(factor) {
    const { left, top, width, height } = stage.getBoundingClientRect();
    zoom(factor, left + width / 2, top + height / 2);
}

stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 500), event.clientX, event.clientY);
}, { passive: false });

const pointers = new Map();
const spread = () => {
    const [a, b] = [...pointers.values()];
    return Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
};

stage.addEventListener("pointerdown", (event) => {
    hasMoved = pointers.size > 0;
    pointers.set(event.pointerId, event);
});
window.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) {
        return;
    }
    if (pointers.size === 2) {
        const apart = spread();
        pointers.set(event.pointerId, event);
        const [a, b] = [...pointers.values()];
        zoom(spread() / apart, (a.clientX + b.clientX) / 2, (a.clientY + b.clientY) / 2);
        return;
    }
    const [dx, dy] = [event.clientX - before.clientX, event.clientY - before.clientY];
    if (hasMoved || Math.hypot(dx, dy) > 5) {
        hasMoved = true;
        const scale = 1 / svg.getScreenCTM().a;
        look(box.x - dx * scale, box.y - dy * scale, box.width, box.height);
        pointers.set(event.pointerId, event);
    }
});
for (const name of ["pointerup", "pointercancel"]) {
    window.addEventListener(name, (event) => pointers.delete(event.pointerId));
}

const actions = {
    first: () => { stop(); go(0); },
    back: () => { stop(); go(step - 1); },
    play,
    // A new page shows the end of both passes; the first step starts over.
    forward: () => { stop(); go(isFinished() && !hasStepped ? 1 : step + 1); },
    last: () => { stop(); go(steps.length); },
    out: () => zoomInTheMiddle(1 / 1.25),
    in: () => zoomInTheMiddle(1.25),
    fit: () => { fit(); isWhole = true; },
    collapse: () => expand(0),
    expand: () => expand(views.findIndex(({ expanded }) => expanded === "all")),
    reset,
};
for (const [id, action] of Object.entries(actions)) {
    button(id).addEventListener("click", action);
}

const keys = {
    ArrowRight: "forward", ArrowLeft: "back", Home: "first", End: "last", p: "play",
    "+": "in", "-": "out", 0: "fit",
};
document.addEventListener("keydown", (event) => {
    const isWriting = event.target instanceof HTMLInputElement;
    const card = elements.indexOf(event.target);
    if (card >= 0 && (event.key === "Enter" || event.key === " ")) {
        event.preventDefault();
        choose(card);
    } else if (!isWriting && !event.ctrlKey && !event.metaKey && !event.altKey && keys[event.key]) {
        event.preventDefault();
        actions[keys[event.key]]();
    }
});

show(0);
overview();
if (svg.getScreenCTM().a < 0.2) {
    reveal(0); // too large to begin with the whole of it
}
