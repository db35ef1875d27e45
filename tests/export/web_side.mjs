// What the page makes of texts, for test_web.py: tables, tokenizers, taggers and scores in, what comes of them out.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const names = ["characters", "tokenizer", "ngrams", "tags", "paths", "word_tags"];
const at = (name) => import(`${pathToFileURL(process.argv[2])}/${name}.js`);
const [{ Characters }, { tokenizer }, { Ngrams }, { TagReader }, { bestPath }, { WordTagReader }] = await Promise.all(names.map(at));
const given = JSON.parse(readFileSync(0, "utf8"));
const characters = new Characters(given.characters);
const each = (parts, change) => Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, change(part)]));

const ngrams = new Ngrams(given.ngrams, characters);
const told = {
  tokenizers: each(given.tokenizers, (json) => given.texts.map(tokenizer(json, characters))),
  ngrams: given.texts.map((text) => ngrams.ids(text)),
  taggers: each(given.taggers, (tagger) => {
    const reader = new TagReader({ ...tagger, characters });
    return given.texts.map((text) => {
      const { words, cuts } = reader.cut(text);
      const windows = cuts.map(([start, end]) => words.slice(start, end));
      return { windows: windows.map((window) => window.map((word) => word.text)), feeds: reader.feeds(text) };
    });
  }),
  records: [TagReader, WordTagReader].map((Reader, kind) => {
    const { reader, texts, outputs } = given.records[kind];
    const made = new Reader({ ...reader, characters });
    const scores = (found) => found.map((emissions) => ({ emissions: Float32Array.from(emissions) }));
    return texts.map((text, number) => made.record(text, scores(outputs[number])));
  }),
  paths: given.paths.map(({ emissions, tags, edges }) => bestPath(Float32Array.from(emissions), tags, edges)),
};
process.stdout.write(JSON.stringify(told));
