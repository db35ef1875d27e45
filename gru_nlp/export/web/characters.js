// Characters as the program that trained the model knows them. What a letter, a digit or a blank is, and what its small
// letter, comes from page.json, which holds the tables of Python and of its tokenizer library: a browser has another
// version of Unicode, and other ideas of \w and \s. Ranges stand there as a regular expression writes them in brackets.

// A part of a pattern that page.json explains: a class in brackets, which may hold another, a property, \w or \s.
const CLASS = /\[(?:\\.|\[[^\]]*\]|[^\]\\])*\]|\\p\{\w+\}|\\[wsS]/gu;
// Behind a letter that has a case, and before none; marks and the like do not count (Final_Sigma of Unicode).
const CASED = "(?!\\p{Case_Ignorable})\\p{Cased}";
const LAST_SIGMA = new RegExp(`(?<=${CASED}\\p{Case_Ignorable}*)Σ(?!\\p{Case_Ignorable}*${CASED})`, "gu");

export class Characters {
  // `tables`: classes, sets, lower and inert, as export/characters.py writes them.
  constructor(tables) {
    this.classes = new Map(Object.entries(tables.classes));
    this.sets = new Map(Object.entries(tables.sets));
    this.lower = new Map(Object.entries(tables.lower).map(([who, pairs]) => [who, new Map(Object.entries(pairs))]));
    this.inert = tables.inert ? new RegExp(`([${tables.inert}]+)`, "u") : null;
  }

  // The regular expression of a pattern of the library's, to be searched for everywhere.
  pattern(source) {
    if (source === "(?m).") return /[^]/gu;
    const parts = source.replaceAll("\\b", "(?!\\w)"); // those patterns ask for the end of a word alone
    const written = (one) => (this.classes.has(one) ? `[${this.classes.get(one)}]` : one);
    return new RegExp(parts.replace(CLASS, written), "gu");
  }

  // The ranges of a set, to stand in brackets.
  ranges(name) {
    return this.sets.get(name);
  }

  // A test of whether a text has a character of a set.
  has(name) {
    const set = new RegExp(`[${this.ranges(name)}]`, "u");
    return (text) => set.test(text);
  }

  // Small letters one by one, as the tokenizer library makes them.
  lowered(text) {
    return mapped(text, this.lower.get("library"));
  }

  // Small letters as str.lower() makes them, which writes a sigma at the end of a word in its own way.
  pythonLowered(text) {
    return mapped(text.includes("Σ") ? text.replace(LAST_SIGMA, "ς") : text, this.lower.get("python"));
  }

  // Normal form C or KC; characters that the library does not know stand apart, as they do there.
  normalized(text, form) {
    if (this.inert === null) return text.normalize(form);
    return text.split(this.inert).map((part, place) => (place % 2 ? part : part.normalize(form))).join("");
  }
}

function mapped(text, map) {
  let result = "";
  for (const one of text) result += map.get(one) ?? one;
  return result;
}
