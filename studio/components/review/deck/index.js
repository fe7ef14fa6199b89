// The review deck. A key answers the card in hand and the next one is there at once: nothing waits for the server. What
// was decided goes out as a numbered list (log.js); cards come in ahead of need.

import { make, matching, press, stretch, visit } from "../../dom.js";
import { drawCard, drawChoices, drawSide } from "./card.js";
import { Log } from "./log.js";

const decks = new WeakMap();
const name = (card) => [card.asset, card.key, card.column].join("\u0000");

export default function ({ parentElement, data, setStateValue, setTriggerValue }) {
  let deck = decks.get(parentElement);
  if (!deck) decks.set(parentElement, (deck = new Deck(parentElement.querySelector(".deck"), data.project, (open) => setStateValue("log", open))));
  deck.log.send = (open) => setStateValue("log", open);
  deck.event = (event) => setTriggerValue("event", event);
  deck.update(data);
  return () => { deck.close(); decks.delete(parentElement); };
}

class Deck {
  constructor(root, project, send) {
    this.root = root;
    this.cards = [];
    this.seen = new Set();
    this.past = [];
    this.log = new Log(`packyak-deck-${project}`, send);
    for (const entry of this.log.open) this.seen.add(name(entry));
    this.since = null;
    this.answered = 0;
    this.top = make("div", "top");
    this.top.setAttribute("role", "status");
    this.body = make("div", "body");
    root.replaceChildren(this.top, this.body);
    this.stop = new AbortController();
    this.unstretch = stretch(root, 380);
    document.addEventListener("keydown", (event) => this.key(event), { signal: this.stop.signal });
  }

  close() {
    this.stop.abort();
    this.unstretch();
  }

  update(data) {
    this.data = data;
    this.log.taken(data.taken.deck, data.taken.number);
    if (data.list !== this.list) {
      this.list = data.list;
      const fresh = data.scope !== this.scope; // another choice of assets: the cards in hand go
      this.scope = data.scope;
      if (fresh) {
        this.cards = [];
        this.seen = new Set(this.log.open.map(name)); // another list may ask again what was answered in this one
      }
      for (const told of data.again) this.seen.delete(told);
      const inHand = new Set(this.cards.map(name));
      this.cards.push(...data.cards.filter((card) => !this.seen.has(name(card)) && !inHand.has(name(card))));
      if (fresh || !this.shown) return this.show();
    }
    return this.status();
  }

  get card() { return this.cards[0]; }

  // ---- drawing

  show() {
    const { card } = this;
    this.shown = Boolean(card);
    this.root.dataset.card = card ? card.key : "";
    this.input = null;
    if (!card) this.body.replaceChildren(make("div", "none", this.log.open.length || this.data.more ? "Looking for more questions \u2026" : this.data.nothing));
    else {
      const main = make("div", "main");
      const scroll = make("div", "scroll");
      scroll.append(drawCard(card, this.acts()), drawChoices(card, (value) => this.decide("correct", value)));
      main.append(scroll, this.field(card), this.buttons(card));
      this.body.replaceChildren(main, drawSide(card, this.acts()));
    }
    this.status();
  }

  acts() {
    return { open: ({ asset, key }) => visit("records", { asset, key }), trace: ({ asset, key, column }) => visit("pipeline", { of: asset, key, ...(column ? { field: column } : {}) }) };
  }

  // Search among the choices, or type the value where there are none.
  field(card) {
    const box = make("div", "field");
    if (!card.column) return box;
    this.input = make("input");
    this.input.placeholder = card.choices.length ? "Search the answers (/)" : "Type the right value (/)";
    this.input.setAttribute("aria-label", this.input.placeholder);
    this.found = make("div", "found");
    this.input.oninput = () => this.look();
    this.input.onkeydown = (event) => this.typed(event);
    box.append(this.input, this.found);
    return box;
  }

  look() {
    const choices = this.card.choices.map((choice) => ({ ...choice, name: choice.text }));
    this.matches = this.input.value.trim() ? matching(choices, this.input.value, 6) : [];
    this.found.replaceChildren(...this.matches.map((choice, place) => press(choice.text, "", () => this.decide("correct", choice.value), place ? "" : "first")));
  }

  typed(event) {
    event.stopPropagation();
    if (event.key === "Escape") { this.input.value = ""; this.look(); this.input.blur(); }
    if (event.key !== "Enter" || event.repeat) return;
    event.preventDefault();
    if (this.card.choices.length && this.matches?.length) this.decide("correct", this.matches[0].value);
    else if (!this.card.choices.length && this.input.value.trim()) this.decide("correct", this.input.value.trim());
  }

  buttons(card) {
    const box = make("div", "buttons");
    const add = (text, key, act, tone = "") => {
      const button = press("", "", act, tone);
      button.append(make("span", "", text), make("kbd", "", key));
      box.append(button);
    };
    if (!card.blind) add(card.empty ? "Rightly empty" : "Accept", "A", () => this.decide("accept"), "main-act");
    add("Skip", "S", () => this.decide("skip"));
    add("Undo", "U", () => this.undo());
    add("Note", "N", () => this.note());
    return box;
  }

  status() {
    const { data } = this, bits = [];
    const minutes = this.since ? (performance.now() - this.since) / 60000 : 0;
    bits.push(make("strong", "", `${this.answered} answered`));
    if (this.answered > 4 && minutes > 0.05) bits.push(make("span", "", `${Math.round(this.answered / minutes)} a minute`));
    bits.push(make("span", "", data.waiting));
    if (data.learned) bits.push(make("span", "learned", data.learned));
    if (this.log.open.length) bits.push(make("span", "busy", `${this.log.open.length} being saved`));
    this.root.dataset.open = this.log.open.length;
    this.root.dataset.answered = this.answered;
    for (const line of data.notes) bits.push(make("span", "bad", line));
    this.top.replaceChildren(...bits);
    const offered = data.offer && data.offer.id !== this.dismissed ? data.offer : null, shown = this.body.querySelector(".offer");
    if (shown && offered && shown.dataset.offer === offered.id) return; // what was ticked stays
    shown?.remove();
    if (!offered) return;
    const made = this.offer(offered);
    made.dataset.offer = offered.id;
    this.body.querySelector(".side")?.prepend(made);
  }

  // Every record that would change, with what it says: a person leaves out those that differ.
  offer(offer) {
    const box = make("section", "offer"), list = make("div", "alike"), left = new Set();
    const apply = press("", "", () => {
      this.dismissed = offer.id;
      this.event({ spread: offer.id, keys: offer.examples.map((one) => one.key).filter((key) => !left.has(key)) });
      this.status();
    }, "main-act");
    const count = () => {
      const many = offer.examples.length - left.size;
      apply.textContent = `Make ${many} ${offer.value}`;
      apply.disabled = !many;
    };
    for (const { key, name, text } of offer.examples) {
      const line = make("label"), tick = make("input");
      tick.type = "checkbox";
      tick.checked = true;
      tick.onchange = () => { left[tick.checked ? "delete" : "add"](key); count(); };
      line.append(tick, make("b", "", name), make("span", "", text));
      list.append(line);
    }
    count();
    const foot = make("div", "offer-foot");
    foot.append(apply, press("No", "Dismiss", () => { this.dismissed = offer.id; this.status(); }));
    box.append(make("p", "", offer.words), list, foot);
    return box;
  }

  // ---- deciding

  decide(action, value = null) {
    const { card } = this;
    if (!card || (card.blind && action === "accept")) return;
    const { asset, key, column, seen, random } = card;
    this.since ??= performance.now();
    if (action === "correct" && card.choices.length && value === card.value) action = "accept";
    const why = this.why ?? "";
    this.why = null;
    const entry = this.log.add({ action, asset, key, column, seen, random, value: action === "correct" ? value : null, why });
    this.past.push({ card, number: entry.number });
    this.seen.add(name(card));
    this.cards.shift();
    if (action !== "skip") this.answered += 1;
    this.show();
  }

  undo() {
    const last = this.past.pop();
    if (!last) return;
    this.log.add({ action: "undo", of: last.number, asset: last.card.asset, key: last.card.key, column: last.card.column });
    this.seen.delete(name(last.card));
    this.cards.unshift(last.card);
    this.answered = Math.max(this.answered - 1, 0);
    this.show();
  }

  note() {
    const { card } = this;
    if (!card || !this.body.querySelector(".field")) return;
    const box = this.body.querySelector(".field"), input = make("input");
    input.placeholder = "Why (kept with your answer); Enter keeps it";
    input.setAttribute("aria-label", "Note on your answer");
    input.value = this.why ?? "";
    input.onkeydown = (event) => {
      event.stopPropagation();
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.preventDefault();
      if (event.key === "Enter") this.why = input.value.trim();
      box.replaceWith(this.field(card));
      if (this.why) this.body.querySelector(".field").append(make("p", "kept", `Note: ${this.why}`));
    };
    box.replaceChildren(input);
    input.focus();
  }

  key(event) {
    const inside = event.composedPath()[0];
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || !this.root.isConnected) return;
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(inside.tagName) || inside.isContentEditable || document.querySelector("dialog[open]")) return;
    const { card } = this, number = Number(event.key);
    const act = { a: () => this.decide("accept"), s: () => this.decide("skip"), u: () => this.undo(), n: () => this.note(), "/": () => this.input?.focus() }[event.key.toLowerCase()];
    if (act) {
      event.preventDefault();
      act();
    } else if (card && number >= 1 && number <= Math.min(9, card.choices.length)) {
      event.preventDefault();
      this.decide("correct", card.choices[number - 1].value);
    }
  }
}
