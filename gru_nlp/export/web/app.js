// The page: a box to type in, and below it what the model says, while one types. Whatever comes from a text, a label or
// a file is put in as text, never as HTML.

import { Model } from "./model.js";

const PAUSE = 120; // milliseconds after the last key
const MOST_BARS = 12;
const COLOURS = 6;
const LONGEST = 100000; // characters shown with marks

const [box, state, answer, json] = ["text", "state", "answer", "json"].map((id) => document.getElementById(id));

function made(name, { className = "", text = "" } = {}, ...children) {
  const node = document.createElement(name);
  node.className = className;
  node.append(...(text ? [text] : []), ...children);
  return node;
}

function bars({ top, label, labels, expected }) {
  const said = new Set(labels ?? [label]);
  const lines = top.slice(0, MOST_BARS).map(([name, score]) => {
    const bar = made("i");
    bar.style.setProperty("--share", `${100 * score}%`);
    const parts = [made("bdi", { text: name }), made("span", { className: "bar" }, bar)];
    return made("li", { className: said.has(name) ? "said" : "" }, ...parts, made("span", { text: score.toFixed(4) }));
  });
  const notes = [];
  if (labels?.length === 0) notes.push("No label reaches its threshold.");
  if (expected !== undefined) notes.push(`Mean rating ${expected.toFixed(2)}.`);
  if (top.length > MOST_BARS) notes.push(`${top.length - MOST_BARS} further labels score less.`);
  return [made("ol", {}, ...lines), ...notes.map((text) => made("p", { text }))];
}

function marked({ entities }, text, types) {
  const letters = Array.from(text);
  const parts = [];
  let done = 0;
  for (const { start, end, label, score } of entities) {
    const colour = types.indexOf(label) % COLOURS;
    const told = made("small", { text: `\u00a0${label} ${score.toFixed(2)}` });
    const words = letters.slice(start, end).join("");
    parts.push(letters.slice(done, start).join(""), made("mark", { className: `c${colour}`, text: words }, told));
    done = end;
  }
  parts.push(letters.slice(done, Math.max(done, LONGEST)).join(""));
  const shown = made("p", { className: "marked" }, ...parts);
  shown.dir = "auto";
  return entities.length ? [shown] : [shown, made("p", { text: "No entity found." })];
}

function tagged({ tagged: words }, text, types) {
  const letters = Array.from(text);
  const parts = [];
  let done = 0;
  for (const { start, end, tag, score } of words.slice(0, LONGEST / 10)) {
    const told = made("small", { text: `\u00a0${tag} ${score.toFixed(2)}` });
    const shape = { className: `c${types.indexOf(tag) % COLOURS}`, text: letters.slice(start, end).join("") };
    parts.push(letters.slice(done, start).join(""), made("mark", shape, told));
    done = end;
  }
  const shown = made("p", { className: "marked" }, ...parts);
  shown.dir = "auto";
  return [shown];
}

function shownOf(record, text, types) {
  if (record.tagged) return tagged(record, text, types);
  return record.entities ? marked(record, text, types) : bars(record);
}

function show(model, record, text) {
  const { top, ...told } = record;
  const blank = model.isBlank(text);
  const parts = shownOf(record, text, model.reader.labels);
  answer.replaceChildren(...(blank ? [] : parts));
  json.textContent = blank ? "" : JSON.stringify(told, null, 1);
}

// Answers what stands in the box, and again where that changed meanwhile.
function answering(model) {
  let [busy, again] = [false, false];
  return async () => {
    again = true;
    if (busy) return;
    busy = true;
    while (again) {
      again = false;
      const text = box.value.toWellFormed();
      const begun = performance.now();
      try {
        const record = await model.answer(text);
        const taken = performance.now() - begun;
        show(model, record, text);
        state.textContent = model.isBlank(text) ? "Ready: type a text." : `Answered in ${taken.toFixed(1)} ms.`;
      } catch (error) {
        answer.replaceChildren();
        state.textContent = `This text has no answer: ${error.message}`;
      }
    }
    busy = false;
  };
}

async function begin() {
  const model = await Model.load();
  await model.answer("a"); // the first answer takes longer, since much is compiled by it
  const run = answering(model);
  let timer;
  box.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(run, PAUSE);
  });
  const { name } = model.about.config.task;
  document.title = `${name} in the browser`;
  document.querySelector("h1").textContent = document.title;
  state.textContent = `Ready after ${Math.round(performance.now())} ms: type a text.`;
  if (box.value) await run(); // what was typed meanwhile, or what the browser kept
}

begin().catch((error) => {
  state.textContent = `The model cannot be loaded: ${error.message}`;
});
