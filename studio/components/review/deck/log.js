// What a person did, in order, until the server has taken it. Kept for this window over a reload: every entry has a
// number, and the server takes each number once, so that sending one again does no harm.

export class Log {
  // place: where this window keeps it.
  constructor(place, send) {
    this.place = place;
    this.send = send;
    const kept = this.read();
    this.id = kept?.id ?? crypto.randomUUID?.() ?? String(Math.random()).slice(2);
    this.last = kept?.last ?? 0;
    this.open = kept?.open ?? [];
    if (this.open.length) this.tell();
  }

  read() {
    try { return JSON.parse(sessionStorage.getItem(this.place)); } catch { return null; }
  }

  add(entry) { return this.all([entry])[0]; }

  // Several at once go out together.
  all(entries) {
    const numbered = entries.map((entry) => ({ ...entry, deck: this.id, number: ++this.last }));
    if (!numbered.length) return numbered;
    this.open = [...this.open, ...numbered];
    this.tell();
    return numbered;
  }

  // The server says up to which number it has taken them.
  taken(deck, number) {
    if (deck !== this.id) return;
    const left = this.open.filter((entry) => entry.number > number);
    if (left.length === this.open.length) return;
    this.open = left;
    this.keep();
  }

  tell() {
    this.keep();
    this.send(this.open);
  }

  keep() {
    try { sessionStorage.setItem(this.place, JSON.stringify({ id: this.id, last: this.last, open: this.open })); } catch { /* only a reload would miss it */ }
  }
}
