// Opens pages of graphs in Chromium.
//
//     node pages.mjs numbers DIR   computes the pages of DIR/jobs.json, prints all nodes' numbers
//     node pages.mjs shots DIR     takes two screenshots of DIR/neuron.html, as README shows them
//     node pages.mjs play DIR      clicks, steps and types like a reader; fails on misbehaviour

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { chromium } from "playwright-core";

const [mode, directory] = process.argv.slice(2);
const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox"],
});

async function open(name, options = {}) {
    const page = await browser.newPage({ viewport: { width: 1200, height: 700 }, ...options });
    page.setDefaultTimeout(10_000);
    page.on("pageerror", (error) => assert.fail(`${name}: ${error}`));
    page.on("request", (request) => assert.match(request.url(), /^file:/, "a page must not load anything else"));
    await page.goto(pathToFileURL(join(directory, name)).href);
    return page;
}

const read = (name) => JSON.parse(readFileSync(join(directory, name), "utf8"));

// ── numbers ─────────────────────────────────────────────────────────────────────────────────────

// Prints a line for each job and each row of leaf values: all values, then all gradients.
async function numbers() {
    const page = await browser.newPage();
    page.on("pageerror", (error) => assert.fail(error));
    for (const { name, rows } of read("jobs.json")) {
        await page.goto(pathToFileURL(join(directory, name)).href);
        const lines = await page.evaluate((rows) => {
            const leaves = [...nodes.values()].filter(({ operation, terms }) => !operation && !terms);
            const text = (number) => Object.is(number, -0) ? "-0" : String(number);
            return rows.map((row) => {
                row.forEach((number, i) => leaves[i].value = Number(number));
                recompute();
                const all = [...nodes.values()];
                return [...all.map(({ value }) => value), ...all.map(({ gradient }) => gradient ?? 0)].map(text).join(" ");
            });
        }, rows);
        console.log(lines.join("\n"));
    }
}

// ── a reader ────────────────────────────────────────────────────────────────────────────────────

function assertClose(ours, theirs, what) {
    const isSame = Object.is(ours, theirs) || ours === theirs;
    assert.ok(isSame || Math.abs(ours - theirs) <= 1e-12 * Math.max(1, Math.abs(theirs)), `${what}: ${ours}, not ${theirs}`);
}

// The value and the gradient of each node, as the page holds them.
const state = (page) => page.evaluate(() => [...nodes.values()].map(({ value, gradient }) => ({ value, gradient })));

async function assertNumbers(page, expected, what) {
    const found = await state(page);
    assert.equal(found.length, expected.length, what);
    found.forEach(({ value, gradient }, i) => {
        assertClose(value, expected[i].value, `${what}, value of node ${i}`);
        assertClose(gradient ?? 0, expected[i].gradient, `${what}, gradient of node ${i}`);
    });
}

const progress = (page) => page.textContent("#progress");
const panelText = (page) => page.evaluate(() => document.getElementById("panel").innerText);
const pale = (page) => page.locator("#stage .pale[data-card]").count();

async function stepsToTheEndAndBack(page) {
    const total = Number((await progress(page)).match(/of (\d+)/)[1]);
    assert.equal(await progress(page), `step ${total} of ${total}, done`);
    assert.equal(await pale(page), 0);
    await page.click("#first");
    assert.equal(await progress(page), `step 0 of ${total}, start`);
    const atFirst = await pale(page);
    assert.ok(atFirst > 0, "results must be pale at first");
    const forward = atFirst;
    let before = atFirst;
    for (let step = 1; step <= total; step += 1) {
        await page.keyboard.press("ArrowRight");
        const now = await pale(page);
        assert.equal(now, Math.max(before - 1, 0), `step ${step}`);
        before = now;
        const phase = step === total ? "done" : step > forward ? "backward" : "forward";
        assert.equal(await progress(page), `step ${step} of ${total}, ${phase}`);
        const text = await panelText(page);
        assert.ok(step > forward || !/\bd\S+\/d/.test(text), `step ${step} shows a gradient too early: ${text}`);
        if (step === forward + 1) {
            assert.match(text, /The backward pass starts here/);
        }
    }
    await page.keyboard.press("ArrowRight");
    assert.equal(await progress(page), `step ${total} of ${total}, done`);
    for (let step = total - 1; step >= 0; step -= 1) {
        await (step % 2 === 0 ? page.click("#back") : page.keyboard.press("ArrowLeft"));
    }
    assert.equal(await pale(page), atFirst);
    await page.keyboard.press("End");
    assert.equal(await pale(page), 0);
}

async function playsAndPauses(page) {
    await page.keyboard.press("Home");
    await page.click("#play");
    assert.equal(await page.textContent("#play"), "pause");
    await page.waitForFunction(() => step >= 2);
    await page.keyboard.press("p");
    const paused = await progress(page);
    await page.waitForTimeout(1200);
    assert.equal(await progress(page), paused);
    await page.keyboard.press("End");
}

// The card with this name.
const card = (page, name) => page.locator(`#stage [data-card][aria-label^=${JSON.stringify(`${name}, `)}]`);

async function play() {
    for (const { name, nodes, leaf, number, changed, texts } of read("pages.json")) {
        const page = await open(name);
        await assertNumbers(page, nodes, name);
        await page.evaluate(() => recompute());
        await assertNumbers(page, nodes, `${name}, computed by the page`);
        await page.click("#fit");
        await page.keyboard.press("ArrowRight");
        assert.match(await progress(page), /step 1 of/, `${name}: a new page starts with its first step`);
        await page.keyboard.press("End");
        await page.locator("#stage [data-card]").first().click();
        await page.keyboard.press("ArrowRight");
        assert.match(await progress(page), /, done/, `${name}: a reader who was at the end stays there`);
        for (const [clicked, text] of texts) {
            await card(page, clicked).click();
            const found = await panelText(page);
            assert.ok(found.includes(text), `${name}: a click on ${clicked} shows ${found}, not ${text}`);
            assert.equal(await page.locator("#stage .selected").count(), 1);
        }
        await stepsToTheEndAndBack(page);
        await playsAndPauses(page);

        // With the keyboard alone.
        await card(page, leaf).focus();
        await page.keyboard.press("Enter");
        const input = page.getByLabel(`number of ${leaf}`);
        await input.fill("not a number");
        await assertNumbers(page, nodes, `${name} after an invalid number`);
        await input.fill(number);
        await assertNumbers(page, changed, `${name} after ${leaf} = ${number}`);
        assert.ok(await input.evaluate((input) => input === document.activeElement));
        await page.click("#reset");
        await assertNumbers(page, nodes, `${name} after reset`);
        await page.getByLabel(`slider of ${leaf}`).focus();
        await page.keyboard.press("ArrowRight");
        assert.notDeepEqual(await state(page), nodes);
        await page.close();
    }
    await layersExpand();
    await namesDoNoHarm();
    await largeGraphsSaySo();
    await everyWidthAndColour();
    await aTrainingRunIsWatched();
}

async function layersExpand() {
    const page = await open("net.html");
    const boxes = () => page.locator("#stage [data-card]").count();
    const collapsed = await boxes();
    await page.click("#fit");
    await card(page, "layers.0").click();
    assert.ok(await boxes() > collapsed);
    assert.match(await panelText(page), /layers\.0 is drawn node by node/);
    await card(page, "layers.0.bias[0]").click();
    assert.match(await panelText(page), /A parameter/);
    await page.click("#collapse");
    assert.equal(await boxes(), collapsed);
    await page.click("#expand");
    assert.equal(await page.locator("#stage [data-card][aria-label^='layers.1.weight[']").count(), 4);
    // Zooming and panning.
    const box = () => page.getAttribute("#stage svg", "viewBox");
    const seen = [await box()];
    await page.click("#in");
    seen.push(await box());
    await page.mouse.move(300, 300);
    await page.mouse.wheel(0, -200);
    seen.push(await box());
    await page.mouse.down();
    await page.mouse.move(350, 380, { steps: 5 });
    await page.mouse.up();
    seen.push(await box());
    assert.equal(new Set(seen).size, 4, `${seen}`);
    await page.keyboard.press("0");
    assert.equal(await box(), seen[0]);
    await page.close();
}

async function namesDoNoHarm() {
    const page = await open("names.html");
    assert.equal(await page.evaluate(() => globalThis.harm), undefined);
    const expected = read("names.json");
    assert.deepEqual(await page.evaluate(() => [...nodes.values()].map(({ name }) => name)), expected);
    await page.locator("#stage [data-card]").first().click();
    await page.close();
}

async function largeGraphsSaySo() {
    const page = await open("large.html");
    assert.match(await panelText(page), /a graph of 1000001 nodes.*numbers cannot be changed/is);
    await page.locator("#stage [data-card]").nth(1).focus();
    await page.keyboard.press("Enter");
    assert.match(await panelText(page), /\bd\S+\/d\S+ = 1\b/);
    assert.equal(await page.locator("#panel input").count(), 0);
    await page.close();
}

async function everyWidthAndColour() {
    for (const colorScheme of ["light", "dark"]) {
        for (const width of [390, 1200]) {
            const page = await open("program.html", { colorScheme, viewport: { width, height: 800 } });
            const found = await page.evaluate(() => {
                const colour = (query, property) => getComputedStyle(document.querySelector(query))[property];
                const places = ["#stage", "nav", "#panel"].map((query) => document.querySelector(query).getBoundingClientRect());
                return {
                    colours: [colour("body", "backgroundColor"), colour("#stage text", "fill"), colour("#stage rect", "fill")],
                    isInside: places.every(({ left, right, width, height }) => left >= 0 && right <= innerWidth && width > 0 && height > 0),
                    scrolls: document.documentElement.scrollWidth > innerWidth,
                };
            });
            const [paper, text, box] = found.colours.map((colour) => Number(colour.match(/\d+/)[0]));
            assert.ok(colorScheme === "light" ? paper > 200 && text < 50 : paper < 50 && text > 200, `${found.colours}`);
            assert.equal(box, paper);
            assert.ok(found.isInside && !found.scrolls, `${width} pixels wide`);
            await page.close();
        }
    }
}

async function aTrainingRunIsWatched() {
    const page = await open("watch.html");
    assert.match(await page.textContent("#now"), /^step 0, loss/);
    const fills = () => page.$$eval("#regions rect", (cells) => cells.map((cell) => cell.getAttribute("fill-opacity")).join());
    const before = await fills();
    await page.focus("#slider");
    await page.keyboard.press("End");
    assert.match(await page.textContent("#now"), /^step 59, loss/);
    assert.notEqual(await fills(), before);
    // Weights and biases of three layers, twice.
    assert.equal(await page.locator("#blocks svg").count(), 12);
    await page.click("#play");
    await page.waitForFunction(() => Number(document.getElementById("slider").value) >= 2);
    await page.click("#play");
    assert.equal(await page.textContent("#play"), "play");
    await page.close();
}

// ── screenshots ─────────────────────────────────────────────────────────────────────────────────

async function shots() {
    const wide = await open("neuron.html", { viewport: { width: 1100, height: 520 } });
    await card(wide, "n").click();
    await wide.screenshot({ path: join(directory, "page_wide.png") });
    const narrow = await open("neuron.html", { viewport: { width: 420, height: 760 }, colorScheme: "dark" });
    await narrow.click("#first");
    for (let step = 0; step < 7; step += 1) {
        await narrow.click("#forward");
    }
    await narrow.screenshot({ path: join(directory, "page_narrow.png"), animations: "disabled" });
}

try {
    await { numbers, play, shots }[mode]();
} finally {
    await browser.close();
}
