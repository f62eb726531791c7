// The page of `make demo`: the channels as Discord's client would show them, live.
//
// Owns columns and updates; how a message looks is message.js's.

import { element } from "./elements.js";
import { messageNode, sameGroup } from "./message.js";

const STILL = location.search === "?still";
const messages = new Map();
const columns = new Map();

// A column's log follows its newest message until somebody scrolls up, also while pictures load.
class Column {
  constructor(place) {
    const sign = place.parent ? "🧵" : "#";
    const title = element("h2", {}, element("span", { class: "sign" }, sign), place.name);
    this.list = element("div", { class: "list" });
    this.log = element("div", { class: "log", onscroll: () => this.scrolled() }, this.list);
    this.node = element("section", { id: `c${place.id}` }, title, this.log);
    this.tab = element("li", { class: place.parent ? "thread" : "" }, element("a", { href: `#c${place.id}` }, `${sign} ${place.name}`));
    this.following = true;
    this.top = 0;
    const resized = new ResizeObserver(() => this.follow());
    resized.observe(this.list);
    resized.observe(this.log);
  }

  scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.log;
    if (scrollHeight - scrollTop - clientHeight < 60) this.following = true;
    else if (scrollTop < this.top) this.following = false;
    this.top = scrollTop;
  }

  follow() {
    if (this.following) this.log.scrollTop = this.log.scrollHeight;
  }

  // Only what changed is replaced, so that videos play on and spoilers stay open.
  show(there) {
    const ids = new Set(there.map((message) => `m${message.id}`));
    for (const node of [...this.list.children]) if (!ids.has(node.id)) node.remove();
    there.forEach((message, index) => {
      const first = !sameGroup(there[index - 1], message);
      const version = `${message.edited_timestamp}${first}`;
      const old = document.getElementById(`m${message.id}`);
      if (old?.dataset.version === version) return;
      const node = messageNode(message, first);
      node.dataset.version = version;
      if (old) old.replaceWith(node);
      else this.list.append(node);
    });
    this.follow();
  }
}

function showPlaces(places) {
  for (const place of places) {
    if (columns.has(place.id)) continue;
    const column = new Column(place);
    columns.set(place.id, column);
    document.getElementById("places").append(column.tab);
    document.getElementById("columns").append(column.node);
  }
  showCurrent();
}

// The column whose address it is, else the first: a narrow screen shows no other.
function showCurrent() {
  const all = [...columns.values()];
  const chosen = all.find((column) => `#${column.node.id}` === location.hash) ?? all[0];
  for (const column of all) {
    for (const node of [column.node, column.tab]) node.classList.toggle("current", column === chosen);
  }
}

function showFigures(figures) {
  const rows = Object.entries(figures).flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, String(value))]);
  document.getElementById("figures").replaceChildren(...rows);
}

function receive(news) {
  showPlaces(news.places);
  showFigures(news.figures);
  for (const message of news.messages) {
    if (message.deleted) messages.delete(message.id);
    else messages.set(message.id, message);
  }
  for (const id of new Set(news.messages.map((message) => message.channel_id))) {
    columns.get(id).show([...messages.values()].filter((message) => message.channel_id === id));
  }
}

window.addEventListener("hashchange", showCurrent);
// With ?still the page is a picture of this moment, shown whole, and does not listen for changes.
document.body.classList.toggle("still", STILL);
if (STILL) fetch("/state").then((answer) => answer.json()).then(receive);
else new EventSource("/events").addEventListener("message", (event) => receive(JSON.parse(event.data)));
