// The page of `make demo`: the channel as Discord's client would show it, live.
//
// Owns layout and updates; how a text looks is what the server says. Content only ever becomes text nodes and
// attributes: there is no innerHTML.

const GROUP_MS = 7 * 60 * 1000; // messages of one author within seven minutes share a header
const PICTURE = /\.(jpe?g|png|webp|gif)$/i;
const VIDEO = /\.(mp4|webm|mov)$/i;
const SOUND = /\.(mp3|ogg|wav|m4a|flac)$/i;
const STILL = location.search === "?still";
const messages = new Map();
const columns = new Map();

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") node.className = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

function anchor(href, ...children) {
  return element("a", { href, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

// --- text ---

// What a style makes of the runs of text it covers, from the outside in.
const STYLES = {
  quote: (inner) => element("blockquote", {}, ...inner),
  heading: (inner, level) => element(`h${Number(level) + 1}`, {}, ...inner),
  subtext: (inner) => element("small", {}, ...inner),
  spoiler: (inner) => spoiler(...inner),
  link: (inner, href) => anchor(href, ...inner),
  bold: (inner) => element("strong", {}, ...inner),
  italic: (inner) => element("em", {}, ...inner),
  underline: (inner) => element("u", {}, ...inner),
  strike: (inner) => element("s", {}, ...inner),
  pre: (inner) => element("pre", {}, element("code", {}, ...inner)),
  code: (inner) => element("code", {}, ...inner),
  list: (inner) => element("span", { class: "bullet" }, ...inner),
  entity: entityNodes,
};

function styled(runs, names = Object.keys(STYLES)) {
  const [name, ...others] = names;
  if (!name) return runs.map((run) => run.text);
  const nodes = [];
  for (let from = 0, to; from < runs.length; from = to) {
    for (to = from; to < runs.length && runs[to][name] === runs[from][name]; ) to++;
    const inner = styled(runs.slice(from, to), others);
    nodes.push(...(runs[from][name] ? [STYLES[name](inner, runs[from][name])] : inner));
  }
  return nodes;
}

function spoiler(...children) {
  return element("span", { class: "spoiler", onclick: (event) => event.currentTarget.classList.add("shown") }, ...children);
}

// Mentions, custom emoji and times; `:name:` is an emoji only if there is one of that name.
function entityNodes([text]) {
  if (text.startsWith(":")) return text;
  const time = /^<t:(-?\d{1,13})/.exec(text);
  if (time) return element("span", { class: "time" }, new Date(Number(time[1]) * 1000).toLocaleString());
  return element("span", { class: "mention" }, text.replace(/^<a?(:\w+:)\d+>$/, "$1"));
}

// --- one message ---

function messageNode(message, first) {
  const body = element("div", { class: "body" });
  if (first) body.append(header(message));
  body.append(...contentNodes(message), ...attachmentNodes(message.attachments));
  for (const embed of grouped(message.embeds)) body.append(embedNode(embed));
  const side = first ? avatar(message) : element("time", { class: "side" }, clock(message.timestamp));
  return element("article", { class: first ? "first" : "", id: `m${message.id}` }, side, body);
}

function header(message) {
  return element(
    "header", {},
    element("span", { class: "name" }, message.author.username),
    element("span", { class: "tag" }, "APP"),
    element("time", {}, `Today at ${clock(message.timestamp)}`),
  );
}

function clock(iso) {
  return new Date(iso).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

function avatar(message) {
  const url = message.avatar_url;
  const fallback = element("span", { class: "side avatar" }, (message.author.username || "?").slice(0, 1));
  if (!url) return fallback;
  return element("img", { class: "side avatar", src: url, alt: "", onerror: (event) => event.target.replaceWith(fallback) });
}

function contentNodes(message) {
  const edited = message.edited_timestamp ? element("span", { class: "edited", title: message.edited_timestamp }, " (edited)") : null;
  if (!message.content) return edited ? [edited] : [];
  return [element("div", { class: "markup", dir: "auto" }, ...styled(message.shown), edited)];
}

// --- attachments ---

function attachmentNodes(attachments) {
  const shown = attachments.filter((file) => PICTURE.test(file.filename) || VIDEO.test(file.filename));
  const rest = attachments.filter((file) => !shown.includes(file));
  const nodes = rest.map(fileNode);
  return shown.length ? [gallery(shown.map(mediaNode), "attached"), ...nodes] : nodes;
}

// Rows of a gallery as Discord lays out 1 to 10 pictures; three are one beside two.
const ROWS = [[], [1], [2], [1, 2], [2, 2], [2, 3], [3, 3], [1, 3, 3], [2, 3, 3], [3, 3, 3], [1, 3, 3, 3]];

function gallery(nodes, kind) {
  const rows = [];
  let at = 0;
  for (const length of ROWS[Math.min(nodes.length, 10)]) rows.push(nodes.slice(at, (at += length)));
  const lines = rows.map((row) => element("div", { class: `row of${row.length}` }, ...row));
  return element("div", { class: `gallery ${kind} n${nodes.length}` }, ...lines);
}

function mediaNode(file) {
  const media = VIDEO.test(file.filename)
    ? element("video", { src: file.url, controls: "", preload: "auto" })
    : element("img", { src: file.url, alt: file.description || "" });
  return element("div", { class: "cell" }, file.spoiler ? veiled(media) : media);
}

function veiled(media) {
  const veil = spoiler(media);
  veil.classList.add("veil");
  return veil;
}

function fileNode(file) {
  const words = element("div", {}, anchor(file.url, file.filename), element("div", { class: "size" }, size(file.size)));
  const head = element("div", { class: "filehead" }, element("span", { class: "icon" }, "📄"), words);
  const player = SOUND.test(file.filename) ? element("audio", { src: file.url, controls: "", preload: "auto" }) : null;
  return element("div", { class: "file" }, head, player);
}

function size(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1048576 ? `${(bytes / 1024).toFixed(2)} KB` : `${(bytes / 1048576).toFixed(2)} MB`;
}

// --- embeds ---

// Embeds with the same url are one: the first, with the pictures of the others beside its own, four at most.
function grouped(embeds) {
  const shown = [];
  for (const embed of embeds) {
    const same = embed.url && shown.find((other) => other.url === embed.url);
    if (same) same.images.push(...pictures(embed));
    else shown.push({ ...embed, images: pictures(embed) });
  }
  return shown;
}

function pictures(embed) {
  return embed.image?.url ? [embed.image.url] : [];
}

function embedNode(embed) {
  const node = element("div", { class: "embed" });
  if (embed.color) node.style.borderLeftColor = `#${embed.color.toString(16).padStart(6, "0")}`;
  const main = element("div", { class: "main" });
  if (embed.author) main.append(named("author", embed.author, embed.author.name));
  if (embed.title.length) main.append(titleNode(embed));
  if (embed.description.length) main.append(element("div", { class: "markup", dir: "auto" }, ...styled(embed.description)));
  if (embed.fields?.length) main.append(element("div", { class: "fields" }, ...embed.fields.map(fieldNode)));
  node.append(main);
  if (embed.thumbnail?.url) node.append(element("img", { class: "thumbnail", src: embed.thumbnail.url, alt: "" }));
  if (embed.images.length) node.append(embedImages(embed.images.slice(0, 4)));
  if (embed.footer || embed.timestamp) node.append(footerNode(embed));
  return node;
}

function embedImages(urls) {
  return gallery(urls.map((src) => element("div", { class: "cell" }, element("img", { src, alt: "" }))), "embedded");
}

function named(kind, part, words) {
  const icon = part.icon_url ? element("img", { src: part.icon_url, alt: "" }) : null;
  const name = part.url ? anchor(part.url, words) : words;
  return element("div", { class: kind }, icon, element("span", { dir: "auto" }, name));
}

function titleNode(embed) {
  const words = styled(embed.title);
  return element("div", { class: "title", dir: "auto" }, ...(embed.url ? [anchor(embed.url, ...words)] : words));
}

function fieldNode(field) {
  return element(
    "div", { class: field.inline ? "field inline" : "field" },
    element("div", { class: "fieldname" }, ...styled(field.name)),
    element("div", { class: "markup" }, ...styled(field.value)),
  );
}

function footerNode(embed) {
  const when = embed.timestamp ? new Date(embed.timestamp).toLocaleString([], { dateStyle: "short", timeStyle: "short" }) : "";
  const words = [embed.footer?.text, when].filter(Boolean).join(" • ");
  return named("footer", { icon_url: embed.footer?.icon_url }, words);
}

// --- the columns and their updates ---

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

function sameGroup(before, message) {
  if (!before || before.author.id !== message.author.id || before.author.username !== message.author.username) return false;
  return new Date(message.timestamp) - new Date(before.timestamp) < GROUP_MS;
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
