// The best path of tags and how sure each of its tags is, from the scores of each tag at each word: gru_nlp/nn/crf.py
// for a single sentence. C tags; `edges` has C + 1 rows and columns, the last of start and end; null: each tag stands
// by itself.

const LEAST = -100; // log-score of a tag beside the best one of its step

// Returns the tags of the best path, `nodes`, the probability of each, and `links`, that of each with the one before.
export function bestPath(emissions, tags, edges) {
  const step = (number) => Float64Array.from(emissions.subarray(number * tags, (number + 1) * tags));
  const steps = Array.from({ length: emissions.length / tags }, (_, number) => step(number));
  return edges === null ? apart(steps) : together(steps, tags, edges);
}

function apart(steps) {
  const best = steps.map(top);
  const nodes = steps.map((scores, step) => 1 / sum(scores, (score) => Math.exp(score - scores[best[step]])));
  return { tags: best, nodes, links: nodes.map((node, step) => (step ? node * nodes[step - 1] : node)) };
}

function together(steps, tags, edges) {
  const edge = (before, after) => edges[before * (tags + 1) + after];
  const best = viterbi(steps, tags, edge);
  const likely = steps.map((scores) => scores.map((score) => Math.exp(Math.max(score - scores[top(scores)], LEAST))));
  const moves = Float64Array.from(edges, Math.exp);
  const move = (before, after) => moves[before * (tags + 1) + after];
  const forward = messages(likely, tags, move);
  const backward = messages(likely.toReversed(), tags, (before, after) => move(after, before)).reverse();
  const nodes = best.map((tag, step) => {
    const joint = forward[step].map((message, one) => (message * backward[step][one]) / likely[step][one]);
    return joint[tag] / sum(joint);
  });
  const links = best.map((tag, step) => {
    if (step === 0) return nodes[0];
    let all = 0;
    for (let one = 0; one < tags; one++) {
      const came = forward[step - 1][one];
      for (let other = 0; other < tags; other++) all += came * move(one, other) * backward[step][other];
    }
    return (forward[step - 1][best[step - 1]] * move(best[step - 1], tag) * backward[step][tag]) / all;
  });
  return { tags: best, nodes, links };
}

// Viterbi's search (1967).
function viterbi(steps, tags, edge) {
  let scores = steps[0].map((score, tag) => score + edge(tags, tag));
  const history = [];
  for (const step of steps.slice(1)) {
    const came = Array.from(step, (_, after) => top(scores.map((score, before) => score + edge(before, after))));
    history.push(came);
    scores = step.map((score, after) => score + scores[came[after]] + edge(came[after], after));
  }
  const path = [top(scores.map((score, tag) => score + edge(tag, tags)))];
  for (const came of history.reverse()) path.push(came[path.at(-1)]);
  return path.reverse();
}

// Sums over all paths from the start up to each step and tag, each step scaled to a sum of one.
function messages(likely, tags, move) {
  const found = [];
  for (const own of likely) {
    const before = found.at(-1);
    const came = (after) => (before ? sum(before, (one, tag) => one * move(tag, after)) : move(tags, after));
    const now = own.map((weight, after) => weight * came(after));
    const whole = sum(now);
    found.push(now.map((one) => one / whole));
  }
  return found;
}

function top(scores) {
  let best = 0;
  for (let place = 1; place < scores.length; place++) if (scores[place] > scores[best]) best = place;
  return best;
}

function sum(values, of = (value) => value) {
  let total = 0;
  for (let place = 0; place < values.length; place++) total += of(values[place], place);
  return total;
}
