// Entities of texts: what gru_nlp/preprocessing/tagging.py, windows.py and paths.py make of a text, and of the scores
// that a model answers with.

import { Gazetteer } from "./gazetteers.js";
import { bestPath } from "./paths.js";
import { Words, windows } from "./words.js";

const UNKNOWN = 1;
const SPECIAL = 4; // ids up to here are of marks that no word has
const OUTSIDE = "O";

export class TagReader {
  static files = [];

  constructor({ about, state, page, characters }) {
    this.options = about.preprocessing;
    this.edges = about.options.edges === null ? null : floats(about.options.edges);
    this.characters = characters;
    this.labels = state.labels;
    this.words = new Words(page.patterns[0], Object.keys(state.cut).length > 0, characters);
    this.ids = new Map(state.words.map((word, id) => [word, id]));
    if (this.options.any_case) {
      const small = state.words.map((word, id) => [characters.pythonLowered(word), id]);
      this.caseless = new Map(small.reverse()); // of several words the first, which is the most frequent
    }
    this.letters = new Map(Array.from(state.characters, (letter, place) => [letter, place + 2]));
    const prefixes = this.options.scheme === "bioes" ? "BIES" : "BI";
    this.tags = [OUTSIDE, ...state.labels.flatMap((label) => Array.from(prefixes, (prefix) => `${prefix}-${label}`))];
    this.digits = new RegExp(`[${characters.ranges("digit")}]`, "gu");
    const normal = this.options.lowercase ? (word) => characters.pythonLowered(word) : (word) => word;
    this.lists = (state.gazetteers ?? []).map(({ phrases }) => new Gazetteer(phrases, normal));
    this.seen = new Map();
  }

  // The windows of a text: its words, [first, last + 1] of each.
  cut(text) {
    const words = this.words.split(text);
    const cuts = this.words.sentences(words, text).flatMap(([start, end]) =>
      windows(end - start, this.options.max_words).map(([first, last]) => [start + first, start + last]),
    );
    return { words, cuts };
  }

  // What is fed to the model for a text: a batch of one for each window.
  feeds(text) {
    const { words, cuts } = this.cut(text);
    return cuts.map(([start, end]) => this.feed(words.slice(start, end).map((word) => this.word(word.text))));
  }

  feed(words) {
    const distinct = [...new Set(words)];
    const places = new Map(distinct.map((word, place) => [word, place]));
    const longest = Math.max(...distinct.map((word) => word.letters.length));
    const row = (data) => ({ type: "int64", data, dims: [1, words.length] });
    const codes = this.lists.map((list) => list.codes(words.map((word) => word.text)));
    const lists = { type: "int64", data: words.flatMap((_, place) => codes.map((list) => list[place])) };
    return {
      ...(codes.length ? { lists: { ...lists, dims: [1, words.length, codes.length] } } : {}),
      inputs: row(words.map((word) => word.id)),
      lengths: { type: "int64", data: [words.length], dims: [1] },
      shapes: row(words.map((word) => word.shape)),
      characters: {
        type: "int64",
        data: distinct.flatMap(({ letters }) => [...letters, ...Array(longest - letters.length).fill(0)]),
        dims: [distinct.length, longest],
      },
      character_lengths: { type: "int64", data: distinct.map((word) => word.letters.length), dims: [distinct.length] },
      places: row(words.map((word) => places.get(word))),
    };
  }

  // Id, shape and letters of a word.
  word(text) {
    let word = this.seen.get(text);
    if (word === undefined) {
      const normal = this.normal(text);
      const id = this.ids.get(normal) ?? this.caseless?.get(this.characters.pythonLowered(normal)) ?? UNKNOWN;
      const letters = Array.from(text).slice(0, this.options.max_word_length);
      const known = letters.map((letter) => this.letters.get(letter) ?? UNKNOWN);
      word = { text, id: id < SPECIAL ? UNKNOWN : id, shape: this.words.shape(text), letters: known };
      if (this.seen.size < 10000) this.seen.set(text, word);
    }
    return word;
  }

  // The form under which a word is looked up.
  normal(word) {
    const small = this.options.lowercase ? this.characters.pythonLowered(word) : word;
    return this.options.fold_digits ? small.replace(this.digits, "0") : small;
  }

  // The record of a text: its entities as spans of characters.
  record(text, outputs) {
    const { words, cuts } = this.cut(text);
    const path = ({ emissions }) => bestPath(emissions, this.tags.length, this.edges);
    const records = outputs.map((found) => entities(path(found), this.tags));
    const place = counter(text);
    return {
      entities: merged(cuts, records).map(({ start, end, label, score }) => {
        const [from, to] = [words[start].start, words[end - 1].end];
        return { start: place(from), end: place(to), text: text.slice(from, to), label, score };
      }),
    };
  }

  blank() {
    return { entities: [] };
  }
}

function floats(base64) {
  return new Float32Array(Uint8Array.from(atob(base64), (one) => one.charCodeAt(0)).buffer);
}

// Entities of a path with the probability that just its tags stand there: a chain of conditionals.
function entities({ tags, nodes, links }, names) {
  return spans(tags.map((tag) => names[tag])).map((span) => {
    let score = nodes[span.start];
    for (let step = span.start + 1; step < span.end; step++) score *= links[step] / nodes[step - 1];
    return { ...span, score: Math.min(1, score) };
  });
}

// Entities of tags, by the rules of the CoNLL evaluation.
export function spans(tags) {
  const found = [];
  let begun = null;
  let [prefix, label] = [OUTSIDE, ""];
  [...tags, OUTSIDE].forEach((tag, place) => {
    const now = tag[0];
    const type = tag.slice(2);
    const inside = now !== OUTSIDE;
    const starts = inside && (now === "B" || now === "S" || [OUTSIDE, "E", "S"].includes(prefix) || type !== label);
    if (begun !== null && (!inside || starts)) {
      found.push({ start: begun, end: place, label });
      begun = null;
    }
    if (starts) begun = place;
    [prefix, label] = [now, type];
  });
  return found;
}

// The words of a text that each window speaks for: of what two share, half each.
export function owned(cuts) {
  let begun = 0;
  return cuts.map(([, last], number) => {
    const shared = number + 1 < cuts.length ? Math.max(0, last - cuts[number + 1][0]) : 0;
    const own = [begun, last - (shared >> 1)];
    begun = own[1];
    return own;
  });
}

// Each window says what starts in its part; what it sees cut off is left to the next one.
function merged(cuts, records) {
  const taken = [];
  const parts = owned(cuts);
  records.forEach((record, number) => {
    const [first, last] = cuts[number];
    const [begun, limit] = parts[number];
    for (const entity of record) {
      const [start, end] = [first + entity.start, first + entity.end];
      const cutOff = end === last && last > limit && start >= cuts[number + 1][0];
      const free = !taken.length || start >= taken.at(-1).end;
      if (free && !cutOff && start < limit && end > begun) taken.push({ ...entity, start, end });
    }
  });
  return taken;
}

// Returns the function from places in UTF-16 units, ascending, to those in characters.
export function counter(text) {
  let [unit, count] = [0, 0];
  return (wanted) => {
    while (unit < wanted) {
      unit += text.codePointAt(unit) > 0xffff ? 2 : 1;
      count += 1;
    }
    return count;
  };
}
