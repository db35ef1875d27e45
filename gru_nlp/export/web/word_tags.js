// Words of texts with a tag each: what gru_nlp/preprocessing/word_tags.py makes of a text, and of the scores that a model
// answers with.

import { bestPath } from "./paths.js";
import { counter, owned, TagReader } from "./tags.js";

export class WordTagReader extends TagReader {
  constructor(parts) {
    super(parts);
    this.tags = parts.state.labels;
  }

  // The record of a text: its words as spans of characters, each with its tag.
  record(text, outputs) {
    const { words, cuts } = this.cut(text);
    const place = counter(text);
    const tagged = owned(cuts).flatMap(([begun, limit], number) => {
      const { tags, nodes } = bestPath(outputs[number].emissions, this.tags.length, this.edges);
      return words.slice(begun, limit).map(({ text: word, start, end }, at) => {
        const step = begun + at - cuts[number][0];
        const score = Math.min(1, nodes[step]);
        return { start: place(start), end: place(end), text: word, tag: this.tags[tags[step]], score };
      });
    });
    return { tagged };
  }

  blank() {
    return { tagged: [] };
  }
}
