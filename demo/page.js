// The page of `make demo`: the channel as Discord's client would show it, live.
//
// Owns layout and updates; what the text means is markdown.js. Content only ever becomes text nodes and
// attributes: there is no innerHTML.

import { element, inlineMarkdown, markdown, spoiler } from "/markdown.js";

const GROUP_MS = 7 * 60 * 1000; // messages of one author within seven minutes share a header
const PICTURE = /\.(jpe?g|png|webp|gif)$/i;
const VIDEO = /\.(mp4|webm|mov)$/i;
const SOUND = /\.(mp3|ogg|wav|m4a|flac)$/i;
const STILL = location.search === "?still";
const messages = new Map();
const columns = new Map();

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
  return [element("div", { class: "markup", dir: "auto" }, ...markdown(message.content), edited)];
}

// --- attachments ---

function attachmentNodes(attachments) {
  const shown = attachments.filter((file) => PICTURE.test(file.filename) || VIDEO.test(file.filename));
  const rest = attachments.filter((file) => !shown.includes(file));
  const nodes = rest.map((file) => (SOUND.test(file.filename) ? soundNode(file) : fileNode(file)));
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

function soundNode(file) {
  return element("div", { class: "file" }, fileHead(file), element("audio", { src: file.url, controls: "", preload: "auto" }));
}

function fileNode(file) {
  return element("div", { class: "file" }, fileHead(file));
}

function fileHead(file) {
  const link = element("a", { href: file.url, target: "_blank", rel: "noopener" }, file.filename);
  const words = element("div", {}, link, element("div", { class: "size" }, size(file.size)));
  return element("div", { class: "filehead" }, element("span", { class: "icon" }, "🗎"), words);
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
  if (embed.title) main.append(titleNode(embed));
  if (embed.description) main.append(element("div", { class: "markup", dir: "auto" }, ...markdown(embed.description)));
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
  const name = part.url ? element("a", { href: part.url, target: "_blank", rel: "noopener" }, words) : words;
  return element("div", { class: kind }, icon, element("span", { dir: "auto" }, name));
}

function titleNode(embed) {
  const words = inlineMarkdown(embed.title);
  const inner = embed.url ? [element("a", { href: embed.url, target: "_blank", rel: "noopener" }, ...words)] : words;
  return element("div", { class: "title", dir: "auto" }, ...inner);
}

function fieldNode(field) {
  return element(
    "div", { class: field.inline ? "field inline" : "field" },
    element("div", { class: "fieldname" }, ...inlineMarkdown(field.name)),
    element("div", { class: "markup" }, ...markdown(field.value)),
  );
}

function footerNode(embed) {
  const when = embed.timestamp ? new Date(embed.timestamp).toLocaleString([], { dateStyle: "short", timeStyle: "short" }) : "";
  const words = [embed.footer?.text, when].filter(Boolean).join(" • ");
  return named("footer", { icon_url: embed.footer?.icon_url }, words);
}

// --- the columns and their updates ---

function showPlaces(places) {
  const list = document.getElementById("places");
  for (const place of places) {
    if (columns.has(place.id)) continue;
    const sign = place.parent ? "🧵" : "#";
    list.append(element("li", { class: place.parent ? "thread" : "" }, element("a", { href: `#c${place.id}` }, `${sign} ${place.name}`)));
    const log = element("div", { class: "log" });
    columns.set(place.id, log);
    const title = element("h2", { id: `c${place.id}` }, element("span", { class: "sign" }, sign), place.name);
    document.getElementById("columns").append(element("section", {}, title, log));
  }
}

function showFigures(figures) {
  const rows = Object.entries(figures).flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, String(value))]);
  document.getElementById("figures").replaceChildren(...rows);
}

function update(changed) {
  const touched = new Set();
  for (const message of changed) {
    if (message.deleted) messages.delete(message.id);
    else messages.set(message.id, message);
    touched.add(message.channel_id);
  }
  for (const place of touched) redraw(place);
}

// Only what changed is replaced, so that videos play on and spoilers stay open.
function redraw(place) {
  const log = columns.get(place);
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 200;
  const there = [...messages.values()].filter((message) => message.channel_id === place);
  for (const node of [...log.children]) if (!messages.has(node.id.slice(1))) node.remove();
  there.forEach((message, index) => {
    const first = !sameGroup(there[index - 1], message);
    const version = `${message.edited_timestamp}${first}`;
    const old = document.getElementById(`m${message.id}`);
    if (old?.dataset.version === version) return;
    const node = messageNode(message, first);
    node.dataset.version = version;
    if (old) old.replaceWith(node);
    else log.append(node);
  });
  if (atEnd) log.scrollTop = log.scrollHeight;
}

function sameGroup(before, message) {
  if (!before || before.author.id !== message.author.id || before.author.username !== message.author.username) return false;
  return new Date(message.timestamp) - new Date(before.timestamp) < GROUP_MS;
}

function receive(news) {
  showPlaces(news.places);
  showFigures(news.figures);
  update(news.messages);
}

// With ?still the page is a picture of this moment, shown whole, and does not listen for changes.
document.body.classList.toggle("still", STILL);
if (STILL) fetch("/state").then((answer) => answer.json()).then(receive);
else new EventSource("/events").addEventListener("message", (event) => receive(JSON.parse(event.data)));
