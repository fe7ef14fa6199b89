// The runs, newest first: one is chosen by a press, the arrow keys walk.

import { make, press } from "../../dom.js";

export const runList = ({ runs, chosen, more }, send) => {
  const box = make("nav", "list");
  box.setAttribute("aria-label", "Runs, newest first");
  for (const run of runs) box.append(runLine(run, run.id === chosen?.id, send));
  if (more) box.append(press("Show older runs", "", () => send({ more: runs.length }), "older"));
  box.onkeydown = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key], lines = [...box.children];
    const here = lines.indexOf(event.target.closest(".run, .older"));
    if (!step || here < 0) return;
    event.preventDefault();
    lines[here + step]?.focus();
  };
  return box;
};

const runLine = (run, current, send) => {
  const line = press("", "", () => send({ run: run.id }), "run"), head = make("span", "head");
  line.dataset.run = run.id;
  line.dataset.tone = run.tone;
  line.setAttribute("aria-current", String(current));
  head.append(make("b", "", run.title), make("time", "", run.when));
  line.append(head);
  for (const [name, text] of [["line", run.about], ["line", run.did], ["line wrong", run.failed], ["line wrong", run.broken]]) {
    if (text) line.append(make("span", name, text));
  }
  return line;
};
