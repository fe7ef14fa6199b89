// A record's trace as a line from its first source down to what hangs on it. Values are not trusted: textContent only.

import { make, press, visit } from "../../dom.js";

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".trail"), content = JSON.stringify(data);
  if (root.shows === content) return;
  root.shows = content;
  const { above, record, below, notes } = data.told;
  root.replaceChildren(
    title("Where it comes from", above.length),
    ...(above.length ? above.map((part) => section(part, data.chosen)) : [make("p", "quiet", "Nothing above it: it stands alone.")]),
    here(record),
    title("What hangs on it", below.length),
    ...(below.length ? below.map((part) => section(part, data.chosen)) : [make("p", "quiet", "Nothing: it can change without changing anything else.")]),
    ...notes.map((note) => make("p", "quiet", note)),
  );
  if (data.chosen && data.chosen !== root.at) root.querySelector(".part.chosen")?.scrollIntoView({ block: "nearest" });
  root.at = data.chosen;
}

const title = (text) => make("h3", "", text);

const here = (record) => {
  const box = make("section", "part here"), head = make("div", "head");
  head.append(make("b", "", record.asset), make("span", "number", "this record"));
  box.append(head, step(record, true));
  return box;
};

const section = (part, chosen) => {
  const box = make("section", part.asset === chosen ? "part chosen" : "part"), head = make("div", "head");
  head.append(make("b", "", part.title), make("span", "number", part.number));
  box.dataset.asset = part.asset;
  box.append(head, ...part.lines.map((line) => step(line, part.lines.length < 3)));
  if (part.more) box.append(make("p", "quiet", `and ${part.more.toLocaleString("en")} more`));
  return box;
};

const step = (line, wide) => {
  const box = make("div", "step");
  box.dataset.tone = line.tone;
  if (line.key) {
    box.append(line.open ? press(line.name, `Open ${line.name} of ${line.asset}`, () => visit("records", { asset: line.asset, key: line.key }), "key") : make("span", "name", line.name));
  }
  for (const [name, value] of line.values) {
    const row = make("div", "value");
    row.append(make("i", "", name), make("span", "", value));
    box.append(row);
  }
  for (const text of line.made) box.append(make("p", "made", text));
  if (wide && (line.place || line.run)) box.append(foot(line));
  return box;
};

const foot = (line) => {
  const box = make("div", "foot");
  if (line.place) box.append(make("code", "", line.place));
  if (line.run) box.append(press(line.when || line.run, `Open the run ${line.run}`, () => visit("runs", { run: line.run }), "run"));
  return box;
};
