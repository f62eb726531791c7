// A message as Discord's client shows it: of the demo's channels, and of a preview on the dashboard.
//
// Owns the layout; how a text looks is told by its runs (see markdown.js). Content only ever becomes text nodes
// and attributes. A file or picture without `url` is shown by its name.

import { anchor, element } from "./elements.js";

const GROUP_MS = 7 * 60 * 1000; // messages of one author within seven minutes share a header
const PICTURE = /\.(jpe?g|png|webp|gif)$/i;
const VIDEO = /\.(mp4|webm|mov)$/i;
const SOUND = /\.(mp3|ogg|wav|m4a|flac)$/i;

// Whether two messages share a header.
export function sameGroup(before, message) {
  if (!before || before.author.id !== message.author.id || before.author.username !== message.author.username) return false;
  return new Date(message.timestamp) - new Date(before.timestamp) < GROUP_MS;
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

// `first`: with avatar and name, as the first of a group has them.
export function messageNode(message, first) {
  const body = element("div", { class: "body" });
  if (first) body.append(header(message));
  body.append(...contentNodes(message), ...attachmentNodes(message.attachments));
  for (const embed of grouped(message.embeds)) body.append(embedNode(embed));
  for (const row of message.components ?? []) body.append(buttonsNode(row));
  const side = first ? avatar(message) : element("time", { class: "side" }, clock(message.timestamp));
  return element("article", { class: first ? "first" : "", id: `m${message.id}` }, side, body);
}

function header(message) {
  return element(
    "header", {},
    element("bdi", { class: "name" }, message.author.username),
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
  const media = VIDEO.test(file.filename) && file.url
    ? element("video", { src: file.url, controls: "", preload: "auto" })
    : picture(file.url, file.filename, file.description);
  return element("div", { class: "cell" }, file.spoiler ? veiled(media) : media);
}

// Without an address: its name in its place.
function picture(src, name, description) {
  return src ? element("img", { src, alt: description || "" }) : element("div", { class: "placeholder" }, name);
}

function veiled(media) {
  const veil = spoiler(media);
  veil.classList.add("veil");
  return veil;
}

function fileNode(file) {
  const name = file.url ? anchor(file.url, file.filename) : file.filename;
  const words = element("div", {}, name, element("div", { class: "size" }, size(file.size)));
  const head = element("div", { class: "filehead" }, element("span", { class: "icon" }, "📄"), words);
  const player = SOUND.test(file.filename) && file.url ? element("audio", { src: file.url, controls: "", preload: "auto" }) : null;
  return element("div", { class: "file" }, head, player);
}

function size(bytes) {
  if (bytes === undefined) return "";
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
  return embed.image ? [embed.image] : [];
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

function embedImages(images) {
  return gallery(images.map((image) => element("div", { class: "cell" }, picture(image.url, image.name))), "embedded");
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

// --- buttons ---

function buttonsNode(row) {
  const links = row.components.filter((button) => /^https?:/.test(button.url));
  return element("div", { class: "buttons" }, ...links.map((button) => anchor(button.url, button.label)));
}
