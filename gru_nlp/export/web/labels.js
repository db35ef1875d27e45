// Labels of texts: what gru_nlp/preprocessing/classification.py, multilabel.py and rating.py make of a text, and of the
// logits that a model answers with.

import { Ngrams } from "./ngrams.js";
import { tokenizer } from "./tokenizer.js";

const UNKNOWN = 1; // the id of what no token covers

export class LabelReader {
  static files = ["tokenizer.json"];

  constructor({ about, state, files, characters }) {
    this.options = about.options;
    this.preprocessing = about.preprocessing;
    this.labels = state.labels;
    this.tokenize = tokenizer(files[0], characters);
    this.ngrams = state.ngrams ? new Ngrams(state.ngrams, characters) : null;
  }

  // What is fed to the model for a text: one batch of one.
  feeds(text) {
    const ids = cut(this.tokenize(text), this.preprocessing);
    const feed = { inputs: { type: "int64", data: ids, dims: [1, ids.length] } };
    feed.lengths = { type: "int64", data: [ids.length], dims: [1] };
    if (this.ngrams) {
      const found = this.ngrams.ids(text);
      feed.ngrams = { type: "int32", data: found.ids, dims: [found.ids.length] };
      feed.bags = { type: "int32", data: [0, found.words], dims: [2] };
    }
    return [feed];
  }

  // The record of a text, the same as the program's, with all labels as `top`.
  record(text, [outputs]) {
    const scaled = Array.from(outputs.logits, (logit) => logit / this.options.temperature);
    return this.options.thresholds ? this.several(outputs.logits, scaled) : this.one(scaled);
  }

  one(scaled) {
    const most = Math.max(...scaled);
    const weights = scaled.map((logit) => Math.exp(logit - most));
    const sum = weights.reduce((one, other) => one + other);
    const top = ranked(this.labels, weights.map((weight) => weight / sum));
    const record = { label: top[0][0], score: top[0][1] };
    if (this.rates) record.expected = top.reduce((mean, [label, score]) => mean + score * Number(label), 0);
    return { ...record, top };
  }

  several(logits, scaled) {
    const likely = scaled.map(sigmoid);
    const said = new Set(this.labels.filter((_, place) => sigmoid(logits[place]) >= this.options.thresholds[place]));
    const top = ranked(this.labels, likely);
    const chosen = top.filter(([label]) => said.has(label));
    return { labels: chosen.map(([label]) => label), scores: chosen.map(([, score]) => score), top };
  }

  blank() {
    if (this.options.thresholds) return { labels: [], scores: [], top: [] };
    return { label: null, score: null, ...(this.rates ? { expected: null } : {}), top: [] };
  }
}

// Labels that are numbers have a mean.
export class RatingReader extends LabelReader {
  rates = true;
}

// Ids of a text that is longer than the model reads: its head, its tail, or half of each.
export function cut(ids, { max_length: longest, truncation }) {
  if (!ids.length) return [UNKNOWN];
  if (ids.length <= longest) return ids;
  const head = { head: longest, tail: 0, both: longest >> 1 }[truncation];
  return [...ids.slice(0, head), ...ids.slice(ids.length - (longest - head))];
}

function sigmoid(logit) {
  return 1 / (1 + Math.exp(-logit));
}

function ranked(labels, scores) {
  return labels.map((label, place) => [label, scores[place]]).sort((one, other) => other[1] - one[1]);
}
