// The model of this folder: its graph in onnxruntime-web, and what reads texts for it and its answers.

import { Characters } from "./characters.js";

const ARRAYS = { int64: (data) => BigInt64Array.from(data, BigInt), int32: (data) => Int32Array.from(data) };

// What reads texts, by the files of the folder; `read` gives the parsed JSON of one.
export async function reader(read) {
  const [about, state, page] = await Promise.all(["export.json", "state.json", "page.json"].map(read));
  const { [page.reader]: Reader } = await import(`./${page.module}`);
  const files = await Promise.all(Reader.files.map(read));
  const characters = new Characters(page.characters);
  const blank = new RegExp(`^[${characters.ranges("space")}]*$`, "u");
  const made = new Reader({ about, state, page, files, characters });
  return { reader: made, about, isBlank: (text) => blank.test(text) };
}

export class Model {
  static async load() {
    const read = async (name) => (await fetched(name)).json();
    const [ort, folder, graph] = await Promise.all([
      import("./ort.wasm.bundle.min.mjs"),
      reader(read),
      fetched("model.onnx").then((response) => response.arrayBuffer()),
    ]);
    ort.env.wasm.numThreads = 1; // several would need headers that no static server sends
    return new Model(ort, folder, await ort.InferenceSession.create(graph, { executionProviders: ["wasm"] }));
  }

  constructor(ort, { reader, about, isBlank }, session) {
    Object.assign(this, { ort, reader, about, isBlank, session });
  }

  // The record of a text, as the program gives it.
  async answer(text) {
    if (this.isBlank(text)) return this.reader.blank();
    const outputs = [];
    for (const feed of this.reader.feeds(text)) outputs.push(await this.run(feed));
    return this.reader.record(text, outputs);
  }

  async run(feed) {
    const { Tensor } = this.ort;
    const tensor = ({ type, data, dims }) => new Tensor(type, ARRAYS[type](data), dims);
    const wanted = this.session.inputNames.map((name) => [name, tensor(feed[name])]);
    const found = await this.session.run(Object.fromEntries(wanted));
    return Object.fromEntries(Object.entries(found).map(([name, { data }]) => [name, data]));
  }
}

async function fetched(name) {
  const response = await fetch(new URL(name, import.meta.url));
  if (!response.ok) throw new Error(`${name}: ${response.status} ${response.statusText}`);
  return response;
}
