// Phrases of a person's word lists in sentences of words: gru_nlp/text/gazetteers.py.

const [NONE, BEGIN, INSIDE, END, SINGLE] = [0, 1, 2, 3, 4];

export class Gazetteer {
  // `phrases`: words with single blanks between them; `normal`: gives the form in which words are compared.
  constructor(phrases, normal) {
    this.normal = normal;
    this.known = new Set();
    this.sizes = new Map(); // of phrases by their first word, the longest first
    for (const phrase of phrases) {
      const words = phrase.split(" ").map(normal);
      this.known.add(words.join(" "));
      if (!this.sizes.has(words[0])) this.sizes.set(words[0], new Set());
      this.sizes.get(words[0]).add(words.length);
    }
    for (const [first, sizes] of this.sizes) this.sizes.set(first, [...sizes].sort((a, b) => b - a));
  }

  // The code of each word of a sentence.
  codes(words) {
    const normal = words.map(this.normal);
    const codes = Array(words.length).fill(NONE);
    let place = 0;
    while (place < words.length) {
      const fits = (size) => this.known.has(normal.slice(place, place + size).join(" ")) && place + size <= words.length;
      const size = (this.sizes.get(normal[place]) ?? []).find(fits) ?? 0;
      if (size === 1) codes[place] = SINGLE;
      else if (size) codes.splice(place, size, BEGIN, ...Array(size - 2).fill(INSIDE), END);
      place += size || 1;
    }
    return codes;
  }
}
