// A box for SQL: Tab completes tables, columns and words of SQL, Ctrl+Enter runs it.

import { make, press } from "../../dom.js";

const WORDS = ["select", "from", "where", "group by all", "order by", "limit", "count(*)", "and", "or", "is null", "is not null", "join", "on", "using", "distinct", "desc", "having", "case when", "then", "else", "end", "like", "in", "between", "with"];
const MOST_OFFERS = 8;
const boxes = new WeakMap();

export default function ({ parentElement, data, setTriggerValue }) {
  let box = boxes.get(parentElement);
  if (!box) boxes.set(parentElement, (box = new SqlBox(parentElement.querySelector(".sql"), data.query)));
  box.names = data.names;
  box.run = (query) => setTriggerValue("event", { query });
  if (data.query !== box.given) box.put(data.query);
}

class SqlBox {
  constructor(root, query) {
    this.text = make("textarea");
    Object.assign(this.text, { spellcheck: false, value: query, rows: 4, placeholder: "select ..." });
    this.text.setAttribute("aria-label", "SQL over this project's assets");
    this.offers = make("div", "offers");
    this.offers.setAttribute("aria-label", "Completions");
    this.offers.setAttribute("role", "group");
    const row = make("div", "row");
    row.append(this.offers, press("Run  Ctrl+Enter", "", () => this.run(this.text.value), "go"));
    root.replaceChildren(this.text, row);
    this.given = query;
    this.text.oninput = () => this.look();
    this.text.onclick = () => this.look();
    this.text.onkeydown = (event) => this.key(event);
    this.grow();
  }

  put(query) {
    this.given = query;
    this.text.value = query;
    this.grow();
  }

  grow() {
    this.text.rows = Math.min(12, Math.max(4, this.text.value.split("\n").length + 1));
  }

  word() {
    return /[\w.]*$/.exec(this.text.value.slice(0, this.text.selectionStart))[0];
  }

  look() {
    this.grow();
    const typed = this.word().toLowerCase(), last = typed.split(".").pop();
    const names = last ? [...this.names, ...WORDS.map((name) => ({ name, note: "" }))] : [];
    const fit = names.filter(({ name }) => name.toLowerCase().startsWith(last) && name.toLowerCase() !== last);
    const seen = new Set();
    this.found = fit.filter(({ name }) => !seen.has(name) && seen.add(name)).slice(0, MOST_OFFERS);
    this.offers.replaceChildren(...this.found.map((item, place) => {
      const offer = press("", "", () => this.take(item), "offer");
      offer.append(make("span", "", item.name), make("em", "", item.note || (place ? "" : "Tab")));
      return offer;
    }));
  }

  key(event) {
    event.stopPropagation();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.run(this.text.value);
    } else if (event.key === "Tab" && !event.shiftKey && this.found?.length && this.word()) {
      event.preventDefault();
      this.take(this.found[0]);
    }
  }

  take({ name }) {
    const at = this.text.selectionStart, start = at - this.word().split(".").pop().length;
    this.text.setRangeText(`${name} `, start, at, "end");
    this.found = [];
    this.offers.replaceChildren();
    this.text.focus();
    this.grow();
  }
}
