// N-grams of words and of characters as ids, as gru_nlp/text/ngrams.py makes them. Hashes are of 64 bits: an array of
// them cuts off what is above, so that sums, products and shifts need no mask.

const LONGEST = 1 << 18; // characters read of a text
const MOST = 50000; // words whose numbers are kept, since a text that is typed comes again and again
const WORDS = [1, 3];
const CHARACTERS = [1, 4];
const ODD = 0x9e3779b97f4a7c15n;

export class Ngrams {
  // `state`: the hashes as gru_nlp.text.ngrams.Ngrams.state gives them.
  constructor(state, characters) {
    this.words = hashes(state.words);
    this.letters = hashes(state.characters);
    this.characters = characters;
    this.numbers = new Map();
    const space = characters.ranges("space");
    this.word = new RegExp(`[${characters.ranges("word")}]+|[^${characters.ranges("word")}${space}]`, "gu");
    this.blanks = new RegExp(`[${space}]+`, "u");
  }

  // The ids of a text's known n-grams, each once and ascending, and how many of them are of words.
  ids(text) {
    const small = this.characters.pythonLowered(head(text, LONGEST));
    const words = this.words.length ? known(this.words, distinct(this.wordUnits(small), WORDS)) : [];
    const letters = this.letters.length ? known(this.letters, distinct(this.letterUnits(small), CHARACTERS)) : [];
    return { ids: [...words, ...letters.map((rank) => rank + this.words.length)], words: words.length };
  }

  wordUnits(text) {
    if (this.numbers.size > MOST) this.numbers.clear();
    return BigUint64Array.from(text.match(this.word) ?? [], (word) => {
      if (!this.numbers.has(word)) this.numbers.set(word, blake2b(new TextEncoder().encode(word)));
      return this.numbers.get(word);
    });
  }

  letterUnits(text) {
    const words = text.split(this.blanks).filter(Boolean);
    return mixed(BigUint64Array.from(` ${words.join(" ")} `, (one) => BigInt(one.codePointAt(0) + 1)));
  }
}

function head(text, length) {
  return text.length <= length ? text : Array.from(text).slice(0, length).join("");
}

function hashes(base64) {
  return new Uint32Array(Uint8Array.from(atob(base64), (one) => one.charCodeAt(0)).buffer);
}

// Spreads every bit over all others, in place (the finaliser of SplitMix64, Steele et al. 2014).
function mixed(values) {
  for (let place = 0; place < values.length; place++) {
    let value = values[place];
    value = BigInt.asUintN(64, (value ^ (value >> 30n)) * 0xbf58476d1ce4e5b9n);
    value = BigInt.asUintN(64, (value ^ (value >> 27n)) * 0x94d049bb133111ebn);
    values[place] = value ^ (value >> 31n);
  }
  return values;
}

// The hashes of 32 bits of all n-grams.
function distinct(units, [shortest, longest]) {
  const found = new Set();
  let now = units;
  for (let size = 1; size <= longest && now.length; size++) {
    if (size > 1) now = mixed(now.slice(0, -1).map((hash, place) => hash * ODD + units[place + size - 1]));
    if (size < shortest) continue;
    for (const hash of mixed(now.map((hash) => hash + BigInt(size)))) found.add(Number(hash >> 32n));
  }
  return found;
}

// The ranks of hashes in a sorted table, ascending, of those that it holds.
function known(table, found) {
  const ranks = [];
  for (const hash of found) {
    let low = 0;
    for (let high = table.length; low < high; ) {
      const middle = (low + high) >>> 1;
      if (table[middle] < hash) low = middle + 1;
      else high = middle;
    }
    if (table[low] === hash) ranks.push(low);
  }
  return ranks.sort((one, other) => one - other);
}

const IV = BigUint64Array.of(
  0x6a09e667f3bcc908n, 0xbb67ae8584caa73bn, 0x3c6ef372fe94f82bn, 0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n, 0x9b05688c2b3e6c1fn, 0x1f83d9abfb41bd6bn, 0x5be0cd19137e2179n,
);
const SIGMA = [
  "0123456789abcdef", "ea489fd61c02b753", "b8c052fdae367194", "7931dcbe265a40f8", "905724afe1bc683d",
  "2c6a0b834d75fe19", "c51fed4a0763928b", "db7ec13950f4862a", "6fe9b308c2d714a5", "a2847615fb9e3cd0",
].map((row) => Array.from(row, (digit) => parseInt(digit, 16)));
const COLUMNS = [
  [0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15],
  [0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14],
];

// BLAKE2b of 8 bytes, as a number of 64 bits, little end first (RFC 7693).
function blake2b(bytes) {
  const state = IV.slice();
  state[0] ^= 0x01010008n; // no key, 8 bytes out
  const blocks = Math.max(1, Math.ceil(bytes.length / 128));
  const padded = new Uint8Array(128 * blocks);
  padded.set(bytes);
  const words = new DataView(padded.buffer);
  for (let block = 0; block < blocks; block++) {
    const message = BigUint64Array.from({ length: 16 }, (_, word) => words.getBigUint64(128 * block + 8 * word, true));
    compress(state, message, Math.min(128 * (block + 1), bytes.length), block === blocks - 1);
  }
  return state[0];
}

function compress(state, message, read, last) {
  const v = BigUint64Array.of(...state, ...IV);
  v[12] ^= BigInt(read);
  if (last) v[14] = ~v[14];
  const turned = (value, by) => BigInt.asUintN(64, (value >> by) | (value << (64n - by)));
  for (let round = 0; round < 12; round++) {
    const order = SIGMA[round % 10];
    COLUMNS.forEach(([a, b, c, d], column) => {
      v[a] += v[b] + message[order[2 * column]];
      v[d] = turned(v[d] ^ v[a], 32n);
      v[c] += v[d];
      v[b] = turned(v[b] ^ v[c], 24n);
      v[a] += v[b] + message[order[2 * column + 1]];
      v[d] = turned(v[d] ^ v[a], 16n);
      v[c] += v[d];
      v[b] = turned(v[b] ^ v[c], 63n);
    });
  }
  for (let place = 0; place < 8; place++) state[place] ^= v[place] ^ v[place + 8];
}
