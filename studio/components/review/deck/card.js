// One question as it is drawn. Everything of a record goes in by textContent only.

import { make, press } from "../../dom.js";

const LONG = 60;

export const drawCard = (card, act) => {
  const box = make("article", "question"), head = make("div", "head");
  head.append(link(`${card.asset} \u2192 ${card.name}`, "Open this record", () => act.open(card)), tag(card.reason, card.tone));
  if (card.random) head.append(tag("drawn at random", ""));
  head.append(link("Trace", `Draw the trace of ${card.name} on the graph`, () => act.trace(card), "trace"));
  box.append(head, make("h2", "", card.title), make("p", "why", card.why));
  const fields = make("dl", "fields");
  for (const { name, text } of card.inputs) {
    fields.append(make("dt", "", name), make("dd", text.length > LONG ? "long" : "", text));
  }
  box.append(fields);
  const answer = make("div", "answer");
  answer.append(make("span", "label", card.said), make("strong", card.empty ? "empty" : "", card.answer));
  if (card.sure !== null) {
    const bar = make("span", "sure"), part = make("i");
    part.style.width = `${card.sure * 100}%`;
    bar.append(part);
    bar.title = `${Math.round(card.sure * 100)} % sure`;
    answer.append(bar, make("span", "label", `${Math.round(card.sure * 100)} % sure`));
  }
  box.append(answer);
  return box;
};

export const drawChoices = (card, choose) => {
  const box = make("div", "choices");
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", "Answers");
  card.choices.forEach((choice, place) => {
    const button = press("", "", () => choose(choice.value), choice.value === card.value ? "choice now" : "choice");
    button.append(make("span", "", choice.text));
    if (place < 9) button.append(make("kbd", "", String(place + 1)));
    box.append(button);
  });
  return box;
};

export const drawSide = (card, act) => {
  const box = make("aside", "side");
  if (card.reach) box.append(part("What hangs on it", [make("p", "", card.reach)]));
  if (card.opinions.length) box.append(part("What people said", card.opinions.map((line) => make("p", "", line))));
  if (card.earlier.length) box.append(part("Notes", card.earlier.map((line) => make("p", "", line))));
  const near = card.neighbours.map(({ key, name, value, text }) => {
    const line = make("div", "near");
    line.append(tag(value, ""), link(name, "Open this record", () => act.open({ asset: card.asset, key })), make("p", "", text));
    return line;
  });
  box.append(part("The nearest that people decided", near.length ? near : [make("p", "quiet", "None yet: your answer is the first.")]));
  return box;
};

const part = (title, content) => {
  const box = make("section");
  box.append(make("h3", "", title), ...content);
  return box;
};

const tag = (text, tone) => make("span", `tag ${tone}`, text);
const link = (text, label, act, more = "") => press(text, label, act, `link ${more}`);
