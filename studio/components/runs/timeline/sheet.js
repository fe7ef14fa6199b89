// One run in full: what came of it, its assets on a time line, what fails, and the log.

import { make, press, visit } from "../../dom.js";
import { failures, jumpTo } from "./failures.js";

export const runSheet = (run) => {
  const box = make("section", "detail");
  box.setAttribute("aria-label", "The chosen run");
  if (run.note) box.append(make("p", "note", run.note));
  box.append(heading(run));
  for (const message of run.messages) box.append(make("p", "message", message));
  if (run.parts.length) box.append(assets(run));
  if (run.failing.length) box.append(...failures(run));
  if (run.log.length) box.append(make("h3", "", "Log"), runLog(run));
  return box;
};

const heading = (run) => {
  const head = make("header"), title = make("h2", "", run.title), facts = make("dl", "facts");
  title.dataset.tone = run.tone;
  head.append(title, make("p", "about", run.about));
  if (run.share !== null) head.append(meter(run.share, "How far the run is", "whole"));
  for (const { label, value, tone } of run.facts) {
    const fact = make("div", tone);
    const said = make("dd", "", tone ? undefined : value);
    if (tone) said.append(run.failing.length ? press(value, "What fails", (event) => jumpTo(event.target, run.failing[0].asset), "link") : value);
    fact.append(make("dt", "", label), said);
    facts.append(fact);
  }
  head.append(facts);
  return head;
};

const meter = (share, label, name) => {
  const box = make("div", `meter ${name}`), bar = make("i");
  for (const [key, value] of [["role", "progressbar"], ["aria-label", label], ["aria-valuenow", Math.round(share * 100)]]) box.setAttribute(key, value);
  bar.style.width = `${share * 100}%`;
  box.append(bar);
  return box;
};

const HEADS = [["Took", "took"], ["Planned", "expected"], ["Due", "read"], ["Computed", "computed"], ["Changed", "changed"], ["Deleted", "deleted"], ["Failing", "failed"]];
const COUNTED = new Set(["read", "computed", "failed"]); // in files, where the asset reads those

// A column that says nothing of any asset is left out.
const assets = (run) => {
  const box = make("table"), head = make("tr"), body = make("tbody"), top = make("thead");
  const names = HEADS.filter(([, name]) => run.parts.some((part) => part[name]));
  const cell = (text) => Object.assign(make("th", "", text), { scope: "col" });
  const when = cell(""), axis = make("span", "axis");
  axis.append(make("span", "", run.span && "0 s"), make("span", "unseen", "When, in the run"), make("span", "", run.span));
  when.append(axis);
  head.append(cell("Asset"), when, ...names.map(([title]) => cell(title)));
  top.append(head);
  for (const part of run.parts) body.append(...assetRow(run, part, names.map(([, name]) => name)));
  box.append(make("caption", "unseen", "What the run did to each asset"), top, body);
  return box;
};

const assetRow = (run, part, names) => {
  const line = make("tr"), first = make("th"), named = make("span", "named"), track = make("td", "track"), lane = make("span", "lane"), bar = make("i");
  line.dataset.tone = part.tone;
  first.scope = "row";
  named.append(press(part.asset, `Open ${part.asset} in the pipeline`, () => visit("pipeline", { asset: part.asset }), "link"), make("em", "", part.state));
  first.append(named);
  if (part.share !== null) track.append(meter(part.share, `How far ${part.asset} is`, "part"));
  else if (part.length || part.state === "failed") {
    bar.style.left = `${part.start * 100}%`;
    bar.style.width = `max(3px, ${part.length * 100}%)`;
    lane.append(bar);
    track.append(lane);
  }
  line.append(first, track);
  for (const name of names) {
    const cell = make("td"), text = part[name];
    if (text && COUNTED.has(name) && part.unit) cell.append(make("small", "", part.unit));
    cell.append(name === "failed" && text ? count(run, part) : text);
    line.append(cell);
  }
  if (!part.message) return [line];
  const more = make("tr", "more"), cell = make("td", "", part.message);
  if (part.state === "failed") more.className += " wrong";
  cell.colSpan = names.length + 2;
  more.append(cell);
  return [line, more];
};

// How many failed: where they still do, it leads to them.
const count = (run, part) => {
  if (!run.failing.some(({ asset }) => asset === part.asset)) return make("b", "wrong", part.failed);
  return press(part.failed, `What fails of ${part.asset}`, (event) => jumpTo(event.target, part.asset), "pill");
};

const runLog = (run) => {
  const box = make("ol", "log");
  for (const { at, asset, text, tone, failed } of run.log) {
    const line = make("li", tone), name = make("b", "", asset), said = make("span", "", text);
    const group = failed && run.failing.find((each) => each.asset === asset);
    name.title = asset;
    if (group) {
      const open = group.listed ? () => visit("records", { asset: group.listed, only: "failed" }) : (event) => jumpTo(event.target, asset);
      said.append(" ", press(group.listed ? `Open ${failed}` : `See ${failed}`, `${group.listed ? "Open" : "See"} what fails of ${asset}`, open, "link"));
    }
    line.append(make("time", "", at), name, said);
    box.append(line);
  }
  return box;
};
