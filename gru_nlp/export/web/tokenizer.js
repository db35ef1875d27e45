// Ids of a text by a tokenizer of Hugging Face's JSON, for the steps and models that gru_nlp/text/tokenizer.py trains:
// what the library does in Rust, without its offsets.

// Between blanks: White_Space, which no version of Unicode changes.
const BLANKS = /\p{White_Space}+/u;
const UNKNOWN_PENALTY = 10; // below the least score of a Unigram vocabulary
const BYTE_LEVEL = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

// Returns the function from a text to its ids.
export function tokenizer(json, characters) {
  const normalize = normalizer(json.normalizer, characters);
  const split = splitter(json.pre_tokenizer, characters);
  const search = MODELS[json.model.type](json.model);
  const known = new Map(); // ids of the pieces so far, most of which are words that come again
  const found = (piece) => {
    let ids = known.get(piece);
    if (ids === undefined) {
      ids = search(piece);
      if (known.size < 10000) known.set(piece, ids);
    }
    return ids;
  };
  return (text) => split(normalize(text)).flatMap(found);
}

function normalizer(step, characters) {
  if (step === null) return (text) => text;
  switch (step.type) {
    case "Sequence": {
      const steps = step.normalizers.map((inner) => normalizer(inner, characters));
      return (text) => steps.reduce((now, apply) => apply(now), text);
    }
    case "NFC":
    case "NFKC":
      return (text) => characters.normalized(text, step.type);
    case "Lowercase":
      return (text) => characters.lowered(text);
    case "Replace": {
      const pattern = characters.pattern(step.pattern.Regex);
      return (text) => text.replace(pattern, () => step.content);
    }
    default:
      throw new Error(`a tokenizer with the unknown step ${step.type}`);
  }
}

// Returns the function from a text to its pieces, none of them empty.
function splitter(step, characters) {
  switch (step.type) {
    case "Sequence": {
      const steps = step.pretokenizers.map((inner) => splitter(inner, characters));
      return (text) => steps.reduce((pieces, apply) => pieces.flatMap(apply), [text]);
    }
    case "Split": {
      const pattern = characters.pattern(step.pattern.Regex);
      return step.behavior === "Isolated" ? (text) => isolated(text, pattern) : (text) => text.match(pattern) ?? [];
    }
    case "WhitespaceSplit":
      return (text) => text.split(BLANKS).filter(Boolean);
    case "BertPreTokenizer": {
      const marks = new RegExp(`[${characters.ranges("mark")}]`, "gu");
      return (text) => text.split(BLANKS).flatMap((word) => isolated(word, marks));
    }
    case "Metaspace":
      return (text) => metaspace(text, step.replacement);
    case "ByteLevel": {
      const pattern = characters.pattern(BYTE_LEVEL);
      return (text) => isolated(text, pattern).map(asBytes);
    }
    default:
      throw new Error(`a tokenizer with the unknown step ${step.type}`);
  }
}

// Matches and what stands between them.
function isolated(text, pattern) {
  const pieces = [];
  let done = 0;
  for (const { 0: match, index } of text.matchAll(pattern)) {
    if (index > done) pieces.push(text.slice(done, index));
    pieces.push(match);
    done = index + match.length;
  }
  if (done < text.length) pieces.push(text.slice(done));
  return pieces;
}

// A blank is part of the piece that follows it, and one stands before the text.
function metaspace(text, mark) {
  if (!text) return [];
  const marked = text.replaceAll(" ", mark);
  return (marked.startsWith(mark) ? marked : mark + marked).split(new RegExp(`(?=${mark})`, "u"));
}

// Every byte as a character that can be seen (Radford et al. 2019): printable ones as they are, others from 256 on.
const BYTES = (() => {
  const shown = (byte) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(shown(byte) ? byte : next++));
})();

function asBytes(text) {
  return Array.from(new TextEncoder().encode(text), (byte) => BYTES[byte]).join("");
}

const MODELS = {
  WordLevel(model) {
    const ids = new Map(Object.entries(model.vocab));
    const unknown = ids.get(model.unk_token);
    return (piece) => [ids.get(piece) ?? unknown];
  },

  BPE(model) {
    const ids = new Map(Object.entries(model.vocab));
    const unknown = model.unk_token === null ? undefined : ids.get(model.unk_token);
    const ranks = new Map();
    model.merges.forEach((merge, rank) => {
      const [left, right] = typeof merge === "string" ? merge.split(" ") : merge;
      ranks.set(`${ids.get(left)} ${ids.get(right)}`, [rank, ids.get(left + right)]);
    });
    return (piece) => {
      const symbols = Array.from(piece, (one) => ids.get(one) ?? unknown).filter((id) => id !== undefined);
      return merged(symbols, ranks);
    };
  },

  WordPiece(model) {
    const ids = new Map(Object.entries(model.vocab));
    return (piece) => longest(Array.from(piece), ids, model) ?? [ids.get(model.unk_token)];
  },

  Unigram(model) {
    const ids = new Map(model.vocab.map(([token], id) => [token, id]));
    const scores = model.vocab.map(([, score]) => score);
    const length = Math.max(...model.vocab.map(([token]) => Array.from(token).length));
    const lost = Math.min(...scores) - UNKNOWN_PENALTY;
    return (piece) => likeliest(Array.from(piece), { ids, scores, length, lost, unknown: model.unk_id });
  },
};

// Byte-pair encoding: of all neighbours the pair that was learned first is merged, the leftmost of several, until none
// is left. Whoever stands in a pair is looked at again after each merge alone, on a heap of (rank, place).
function merged(symbols, ranks) {
  const next = symbols.map((_, place) => place + 1);
  const before = symbols.map((_, place) => place - 1);
  const heap = [];
  const pair = (place) => ranks.get(`${symbols[place]} ${symbols[next[place]]}`);
  const offer = (place) => {
    const found = pair(place);
    if (found) push(heap, [found[0], place, found[1]]);
  };
  symbols.forEach((_, place) => offer(place));
  while (heap.length) {
    const [, place, id] = pop(heap);
    const other = next[place];
    if (pair(place)?.[1] !== id) continue; // one of the two is part of another by now
    symbols[place] = id;
    symbols[other] = null;
    next[place] = next[other];
    if (next[other] < symbols.length) before[next[other]] = place;
    offer(before[place]);
    offer(place);
  }
  return symbols.filter((id) => id !== null);
}

const earlier = (one, other) => one[0] - other[0] || one[1] - other[1];

function push(heap, entry) {
  let place = heap.length;
  heap.push(entry);
  while (place > 0) {
    const parent = (place - 1) >> 1;
    if (earlier(heap[parent], entry) <= 0) break;
    heap[place] = heap[parent];
    place = parent;
  }
  heap[place] = entry;
}

function pop(heap) {
  const first = heap[0];
  const last = heap.pop();
  if (!heap.length) return first;
  let place = 0;
  for (;;) {
    let child = 2 * place + 1;
    if (child + 1 < heap.length && earlier(heap[child + 1], heap[child]) < 0) child += 1;
    if (child >= heap.length || earlier(heap[child], last) >= 0) break;
    heap[place] = heap[child];
    place = child;
  }
  heap[place] = last;
  return first;
}

// WordPiece: the longest known piece from the left, again and again; null where one place has none.
function longest(letters, ids, model) {
  if (letters.length > model.max_input_chars_per_word) return null;
  const found = [];
  for (let start = 0; start < letters.length; ) {
    let end = letters.length;
    let id;
    for (; end > start && id === undefined; end--) {
      id = ids.get((start ? model.continuing_subword_prefix : "") + letters.slice(start, end).join(""));
    }
    if (id === undefined) return null;
    found.push(id);
    start = end + 1;
  }
  return found;
}

// Unigram: the split of the greatest sum of scores (Viterbi). Unknown characters in a row become one token.
function likeliest(letters, { ids, scores, length, lost, unknown }) {
  const best = Array.from({ length: letters.length + 1 }, () => null);
  best[0] = { score: 0 };
  for (let start = 0; start < letters.length; start++) {
    const reach = (end, id, score) => {
      const total = score + best[start].score;
      if (best[end] === null || total > best[end].score) best[end] = { score: total, start, id };
    };
    let token = "";
    let alone = false;
    for (let end = start + 1; end <= Math.min(letters.length, start + length); end++) {
      token += letters[end - 1];
      const id = ids.get(token);
      if (id === undefined) continue;
      reach(end, id, scores[id]);
      alone ||= end === start + 1;
    }
    if (!alone) reach(start + 1, unknown, lost);
  }
  const found = [];
  for (let end = letters.length; end > 0; end = best[end].start) {
    const { id } = best[end];
    if (id !== unknown || found.at(-1) !== unknown) found.push(id);
  }
  return found.reverse();
}
