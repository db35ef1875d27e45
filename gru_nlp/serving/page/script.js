// The page: asks the server what it has, sends what is typed, shows what comes back. Whatever comes from a model or a
// person is put in as text, never as markup.
"use strict";

const COLOURS = 6;
const MOST_BARS = 10;
const state = { models: [], asking: null };
const byId = (id) => document.getElementById(id);

/** Return an element of a class that holds texts and elements. */
function made(tag, kind, ...parts) {
  const element = document.createElement(tag);
  if (kind) element.className = kind;
  element.append(...parts);
  return element;
}

/** Send a request; return its response, or throw an Error with the server's own words. */
async function ask(path, body, signal) {
  const headers = {};
  if (byId("key").value) headers["X-API-Key"] = byId("key").value;
  if (body) headers["Content-Type"] = "application/json";
  const options = { headers, signal, method: body ? "POST" : "GET", body: body && JSON.stringify(body) };
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("the server does not answer");
  }
  if (response.ok) return response;
  const told = await response.json().catch(() => ({}));
  throw new Error(told.error || `the server answered with code ${response.status}`);
}

function model() {
  return state.models.find((one) => one.name === byId("model").value);
}

/** Return what the model is asked for. */
function task() {
  return byId("task").value;
}

const VERBS = { predict: "label", translate: "translate", generate: "continue" };
const BUTTONS = { predict: "Label", translate: "Translate", generate: "Continue" };

function fill(select, names, told) {
  select.replaceChildren(...names.map((name) => {
    const option = made("option", "", told(name));
    option.value = name;
    return option;
  }));
}

/** Show what belongs to the chosen model. */
function chooseModel() {
  const chosen = model();
  const tasks = [...chosen.tasks].reverse(); // a language model is there to continue texts first of all
  fill(byId("task"), tasks, (name) => (name === "predict" && tasks.length > 1 ? "tell how likely" : VERBS[name]));
  byId("task-label").hidden = tasks.length < 2;
  byId("about").textContent = [...new Set([chosen.name, chosen.kind]), ...scores(chosen)].join(" · ");
  chooseTask();
}

function scores(chosen) {
  const name = chosen.monitor.replace("validation/", "test/");
  return typeof chosen.scores[name] === "number" ? [`${name} ${chosen.scores[name].toFixed(4)}`] : [];
}

function chooseTask() {
  byId("drawing").hidden = task() !== "generate";
  byId("go").textContent = BUTTONS[task()];
  byId("prompt").textContent = task() === "generate" ? "Beginning" : "Text";
  clear();
  showCall();
}

function clear() {
  byId("answer").replaceChildren();
  byId("trouble").hidden = true;
}

function body() {
  const text = byId("text").value;
  const named = { model: model().name };
  if (task() === "generate") {
    const drawing = { temperature: byId("temperature").valueAsNumber, max_tokens: byId("tokens").valueAsNumber };
    return { ...named, prompt: text, ...drawing, stream: true };
  }
  if (task() === "translate") return { ...named, texts: [text], attention: true };
  const bars = Math.min(model().labels.length, MOST_BARS);
  const labels = ["label", "labels"].some((name) => model().record.includes(name));
  return { ...named, texts: [text], ...(bars > 1 && labels ? { top_k: bars } : {}) };
}

/** Show the same request as a program would send it. */
function showCall() {
  const key = byId("key").value ? " -H 'X-API-Key: <key>'" : "";
  const sent = JSON.stringify(body()).replaceAll("'", "'\\''");
  byId("call").textContent =
    `curl ${location.origin}/${task()}${key} -H 'Content-Type: application/json' -d '${sent}'`;
}

/** Return a name, a bar and a number for each pair of label and probability. */
function bars(pairs, said) {
  const list = made("dl", "bars");
  for (const [label, share] of pairs) {
    const kind = said.includes(label) ? "said" : "";
    const bar = made("i");
    bar.style.width = `${100 * Math.min(Math.max(share, 0), 1)}%`;
    list.append(made("div", kind, made("dt", "", label), made("dd", "bar", bar), made("dd", "n", share.toFixed(3))));
  }
  return list;
}

/** Return a text with its entities marked; their places count characters, of which JavaScript takes some for two. */
function entities(text, found) {
  const letters = Array.from(text);
  const paragraph = made("p");
  paragraph.dir = "auto";
  let done = 0;
  for (const one of found) {
    const colour = Math.max(model().labels.indexOf(one.label), 0) % COLOURS;
    const mark = made("mark", `k${colour}`, one.text, made("small", "", one.label));
    mark.title = `${one.label} ${one.score.toFixed(3)}`;
    paragraph.append(letters.slice(done, one.start).join(""), mark);
    done = one.end;
  }
  paragraph.append(letters.slice(done).join(""));
  return paragraph;
}

/** Return tokens of source and translation; a token of the one shows what it looked at in the other. */
function attention(record) {
  const source = record.source_tokens.map((token) => made("span", "", token));
  const target = record.target_tokens.map((token, place) => {
    const span = made("span", "", token);
    span.tabIndex = 0;
    const best = record.alignment[place].indexOf(Math.max(...record.alignment[place]));
    span.setAttribute("aria-label", `${token}, from ${record.source_tokens[best]}`);
    const show = () => record.alignment[place].forEach((weight, at) => {
      source[at].style.setProperty("--s", `${Math.round(70 * weight)}%`);
    });
    const hide = () => source.forEach((one) => one.style.removeProperty("--s"));
    for (const event of ["mouseenter", "focus"]) span.addEventListener(event, show);
    for (const event of ["mouseleave", "blur"]) span.addEventListener(event, hide);
    return span;
  });
  const told = "Point at a word of the translation, or go to it with the tabulator key, to see where it comes from.";
  return [made("p", "soft", told), made("div", "tokens source", ...source), made("div", "tokens target", ...target)];
}

/** Return what shows a record, whatever kind it is of. */
function shown(text, record) {
  if ("entities" in record) {
    const none = made("p", "soft", "No entity was found.");
    return record.entities.length ? [entities(text, record.entities)] : [none];
  }
  if ("tagged" in record) {
    return [entities(text, record.tagged.map(({ tag, ...word }) => ({ ...word, label: tag })))];
  }
  if ("translation" in record) {
    const said = made("p", "translation", record.translation);
    said.dir = "auto";
    return record.alignment ? [said, ...attention(record)] : [said];
  }
  if ("perplexity" in record) {
    const total = record.log_probability === null ? "too small" : record.log_probability.toFixed(2);
    return [made("p", "", `Perplexity ${record.perplexity.toFixed(2)} over ${record.tokens} tokens, logarithm ${total}.`)];
  }
  if (record.label === null || (record.labels && !record.top)) return [made("p", "soft", "There is nothing to label.")];
  const said = record.labels || [record.label];
  const parts = [made("p", "translation", said.join(", ") || "No label fits.")];
  if ("expected" in record) parts.push(made("p", "soft", `Expected: ${record.expected.toFixed(2)}`));
  return [...parts, bars(record.top || [[record.label, record.score]], said)];
}

/** Show a text as it is drawn. */
async function follow(response, prompt) {
  const written = made("p", "", made("span", "soft", prompt));
  written.dir = "auto";
  byId("answer").replaceChildren(written);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let left = "";
  for (;;) {
    const { value, done } = await reader.read();
    const lines = (left + (value || "")).split("\n");
    left = lines.pop();
    for (const line of lines) {
      const told = JSON.parse(line);
      if (told.error) throw new Error(told.error);
      if (told.text) written.append(told.text);
    }
    if (done) return;
  }
}

function busy(is) {
  byId("go").disabled = is;
  byId("stop").hidden = !is;
  byId("answer").setAttribute("aria-busy", String(is));
}

async function go(event) {
  event.preventDefault();
  if (byId("go").disabled) return;
  const first = !state.models.length;
  clear();
  busy(true);
  state.asking = new AbortController();
  try {
    if (first) return await begin();
    const text = byId("text").value;
    const response = await ask(task(), body(), state.asking.signal);
    if (task() === "generate") {
      await follow(response, text);
    } else {
      const told = await response.json();
      byId("answer").replaceChildren(...shown(text, (told.predictions || told.translations)[0]));
    }
  } catch (error) {
    trouble(error);
  } finally {
    busy(false);
  }
}

function trouble(error) {
  if (error.name === "AbortError") return;
  byId("trouble").textContent = error.message;
  byId("trouble").hidden = false;
}

/** Ask which models there are; where that takes a key, wait until one is typed. */
async function begin() {
  try {
    const health = await (await ask("health")).json();
    byId("key-label").hidden = !health.key;
    if (health.key && !byId("key").value) {
      byId("go").textContent = "Begin";
      byId("about").textContent = "This server wants a key: type it, then press Begin.";
      byId("key").focus();
      return;
    }
    state.models = (await (await ask("models")).json()).models;
    fill(byId("model"), state.models.map((one) => one.name), (name) => name);
    byId("which").hidden = state.models.length < 2;
    chooseModel();
    byId("text").focus();
  } catch (error) {
    trouble(error);
  }
}

byId("form").addEventListener("submit", go);
byId("stop").addEventListener("click", () => state.asking.abort());
byId("model").addEventListener("change", chooseModel);
byId("task").addEventListener("change", chooseTask);
byId("form").addEventListener("input", () => state.models.length && showCall());
byId("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) byId("form").requestSubmit();
});
begin();
