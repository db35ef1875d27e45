// Words of raw text with their places, sentences and windows of words, and the look of a word: gru_nlp/text/words.py,
// pieces.py and shapes.py. Places count UTF-16 units here; records count characters.

const MOST_LETTERS = 10000; // between two blanks; the search for the end of a longer word would break off
const OVERLAP = 32; // words that neighbouring windows share
const ENDS = new Set([".", "!", "?", "...", "。", "！", "？", "؟"]);
const RUNS = /^[!?]+$/; // which some training has as one word
const CLOSING = ['"', "''", "'", ")", "]", "”", "’", "»"];
const WIDE_ENDS = new Set("。！？｡︒．។៕။");
const WIDE_CLOSING = "」』｣）》〉】〕］";
const IN_NUMBERS = new Set(".,-/:");

export class Words {
  // `pattern`: of words, in the tokenizer library's form; `wide`: whether scripts without blanks are cut.
  constructor(pattern, wide, characters) {
    this.pattern = characters.pattern(pattern);
    this.wide = wide;
    this.closing = new Set(wide ? [...CLOSING, ...WIDE_CLOSING] : CLOSING);
    this.after = new Set([...this.closing, ...ENDS, ...WIDE_ENDS]);
    for (const name of ["alpha", "digit", "lower", "title", "upper"]) this[name] = characters.has(name);
    this.empty = new RegExp(`\\n[${characters.ranges("space")}]*\\n`, "u");
    this.endless = new RegExp(`[^${characters.ranges("space")}]{${MOST_LETTERS + 1},}`, "gu");
  }

  // The words of a text: {text, start, end}.
  split(text) {
    return this.pieces(text).flatMap(([start, end]) =>
      Array.from(text.slice(start, end).matchAll(this.pattern), ({ 0: word, index }) => ({
        text: word, start: start + index, end: start + index + word.length,
      })),
    );
  }

  // Where to break words without end: one piece unless there is one.
  pieces(text) {
    const pieces = [];
    let start = 0;
    if (text.length > MOST_LETTERS) {
      for (const { 0: run, index } of text.matchAll(this.endless)) {
        let place = index;
        Array.from(run).forEach((letter, count) => {
          if (count && count % MOST_LETTERS === 0) {
            pieces.push([start, place]);
            start = place;
          }
          place += letter.length;
        });
      }
    }
    return [...pieces, [start, text.length]];
  }

  // The sentences of a text's words, [first, last + 1] each: cut after closing marks and at empty lines.
  sentences(words, text) {
    const found = [];
    let begun = 0;
    let ended = 0; // the last word of the sentence that is no closing mark
    for (let place = 1; place < words.length; place++) {
      const gap = text.slice(words[place - 1].end, words[place].start);
      if (place - 1 === begun || !this.closing.has(words[place - 1].text)) ended = place - 1;
      if (this.ends(words[ended].text, words[place].text, gap) || this.empty.test(gap)) {
        found.push([begun, place]);
        begun = place;
      }
    }
    return words.length ? [...found, [begun, words.length]] : [];
  }

  ends(mark, after, gap) {
    const [first] = after;
    if (this.wide && WIDE_ENDS.has(mark) && !this.after.has(after)) return mark !== "．" || !this.digit(first);
    return (ENDS.has(mark) || RUNS.test(mark)) && gap !== "" && !this.lower(first);
  }

  // The place of a word's look among those of gru_nlp/text/shapes.py.
  shape(word) {
    const letters = Array.from(word);
    if (this.digit(word)) return letters.every((one) => this.digit(one) || IN_NUMBERS.has(one)) ? 5 : 6;
    if (!this.alpha(word)) return 0;
    if (this.isLower(word)) return 1;
    if (this.upper(word) && letters.every((one) => !this.lower(one) && (this.upper(one) || !this.title(one)))) return 2;
    return this.upper(letters[0]) && this.isLower(letters.slice(1).join("")) ? 3 : 4;
  }

  // str.islower(): `title` has capital letters too.
  isLower(text) {
    return this.lower(text) && !this.title(text);
  }
}

// Windows of at most `longest` of `size` words, [first, last + 1] each.
export function windows(size, longest) {
  if (size <= longest) return [[0, size]];
  const found = [];
  for (let start = 0; start < size - OVERLAP; start += longest - OVERLAP) {
    found.push([start, Math.min(start + longest, size)]);
  }
  return found;
}
