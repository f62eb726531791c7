// Discord's Markdown as its clients show it, from text to DOM nodes.
//
// Owns the syntax: what is bold, a list, a link, and what only looks like one. Written from Discord's public
// rules, independent of the code that writes the messages, so that a mistake there is seen here. Content only
// ever becomes text nodes: there is no innerHTML.

const WORD = /[0-9A-Za-z_]/; // JavaScript's own \w: letters beyond ASCII end a word, as in Discord's client
const URL_AT = /^https?:\/\/[^\s<]*[^\s<.,:;"'\])]/;
const LIST_LINE = /^( *)([-*]|\d{1,10}\.) +(\S.*)$/;

export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") node.className = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

// The nodes of a whole text: message content, embed description, field value.
export function markdown(text) {
  return new Parser({ blocks: true, links: true, escapes: true }).parse(text);
}

// Embed titles and field names: inline styles only, no masked links.
export function inlineMarkdown(text) {
  return new Parser({ blocks: false, links: false, escapes: true }).parse(text);
}

class Parser {
  constructor(options) {
    this.options = options;
  }

  with(options) {
    return new Parser({ ...this.options, ...options });
  }

  parse(text) {
    const nodes = [];
    let plain = "";
    let at = 0;
    while (at < text.length) {
      const found = this.rule(text, at);
      if (!found) {
        plain += text[at++];
        continue;
      }
      plain += found.text ?? "";
      if (found.node) {
        nodes.push(plain, found.node);
        plain = "";
      }
      at += found.length;
    }
    nodes.push(plain);
    return nodes.filter((node) => node !== "");
  }

  rule(text, at) {
    const rest = text.slice(at);
    const lineStart = at === 0 || text[at - 1] === "\n";
    return (
      this.escape(rest) || code(rest) || (lineStart && this.options.blocks && this.block(rest)) ||
      autolink(rest) || (this.options.links && this.maskedLink(rest)) || this.bareLink(rest) || entity(rest) ||
      this.styled(rest)
    );
  }

  escape(rest) {
    if (!this.options.escapes || rest[0] !== "\\" || rest.length < 2) return null;
    return /[^0-9A-Za-z\s]/.test(rest[1]) ? { text: rest[1], length: 2 } : null;
  }

  // --- blocks ---

  block(rest) {
    return this.quote(rest) || this.heading(rest) || this.subtext(rest) || this.list(rest);
  }

  quote(rest) {
    if (this.options.quoted) return null;
    const whole = /^ *>>> ([^]*)/.exec(rest);
    const lines = whole ? null : /^ *>(?!>>) [^\n]*(?:\n *>(?!>>) [^\n]*)*\n?/.exec(rest);
    if (!whole && !lines) return null;
    const inner = whole ? whole[1] : lines[0].replace(/^ *> ?/gm, "").replace(/\n$/, "");
    const node = element("blockquote", {}, ...this.with({ quoted: true }).parse(inner));
    return { node, length: (whole || lines)[0].length };
  }

  heading(rest) {
    const found = /^ *(#{1,3}) +([^\n]+)\n?/.exec(rest);
    if (!found) return null;
    const node = element(`h${found[1].length + 1}`, {}, ...this.with({ blocks: false }).parse(found[2].trim()));
    return { node, length: found[0].length };
  }

  subtext(rest) {
    const found = /^-# +([^\n]+)\n?/.exec(rest);
    if (!found) return null;
    return { node: element("small", {}, ...this.with({ blocks: false }).parse(found[1])), length: found[0].length };
  }

  // Consecutive list lines, nested by indentation. Only the first number of an ordered list counts.
  list(rest) {
    const lines = [];
    for (const line of rest.split("\n")) {
      const found = LIST_LINE.exec(line);
      if (!found) break;
      lines.push({ indent: found[1].length, mark: found[2], text: found[3], size: line.length + 1 });
    }
    if (!lines.length || lines[0].indent > 1) return null;
    const length = lines.reduce((sum, line) => sum + line.size, 0);
    return { node: this.listNode(lines), length: Math.min(length, rest.length) };
  }

  listNode(lines) {
    const ordered = /\d/.test(lines[0].mark);
    const list = ordered ? element("ol", { start: String(parseInt(lines[0].mark, 10)) }) : element("ul");
    for (let i = 0; i < lines.length; i++) {
      const item = element("li", {}, ...this.with({ blocks: false }).parse(lines[i].text));
      const deeper = [];
      while (i + 1 < lines.length && lines[i + 1].indent > lines[0].indent + 1) deeper.push(lines[++i]);
      if (deeper.length) item.append(this.listNode(deeper));
      list.append(item);
    }
    return list;
  }

  // --- links ---

  // Inside a label escapes are shown as they are, and a label that looks like an address makes all of it plain.
  maskedLink(rest) {
    const label = bracketed(rest);
    if (label === null || !label.trim()) return null;
    const target = /^\(\s*<?(https?:\/\/(?:[^\s()<>]|\([^\s()<>]*\))+)>?(?:\s+"[^"]*")?\s*\)/.exec(rest.slice(label.length + 2));
    if (!target || /https?:\/\/|discord\.gg\//i.test(label)) return null;
    const words = this.with({ links: false, escapes: false, blocks: false, bare: false }).parse(label);
    return { node: anchor(target[1], words), length: label.length + 2 + target[0].length };
  }

  bareLink(rest) {
    const found = this.options.bare === false ? null : URL_AT.exec(rest);
    return found ? { node: anchor(found[0], [found[0]]), length: found[0].length } : null;
  }

  // --- inline styles ---

  styled(rest) {
    for (const [mark, make] of STYLES) {
      if (!rest.startsWith(mark)) continue;
      const end = closing(rest, mark);
      if (end < 0) continue;
      const inner = this.with({ blocks: false }).parse(rest.slice(mark.length, end));
      return { node: make(inner), length: end + mark.length };
    }
    return null;
  }
}

const STYLES = [
  ["**", (inner) => element("strong", {}, ...inner)],
  ["__", (inner) => element("u", {}, ...inner)],
  ["~~", (inner) => element("s", {}, ...inner)],
  ["||", (inner) => spoiler(...inner)],
  ["*", (inner) => element("em", {}, ...inner)],
  ["_", (inner) => element("em", {}, ...inner)],
];

// Where the style that `rest` begins with ends, or -1. Escaped characters are passed over; a double mark inside
// a single one belongs to the inside. The first single mark decides: `_` must not be followed by a word
// character, `*` not stand beside a space, or there is no style at all.
function closing(rest, mark) {
  const single = mark.length === 1;
  if (mark === "*" && /\s/.test(rest[1] ?? " ")) return -1;
  for (let at = mark.length; at < rest.length; at++) {
    if (rest[at] === "\\") at++;
    else if (single && rest.startsWith(mark + mark, at)) at++;
    else if (single && rest[at] === mark) return at > 1 && fits(rest, mark, at) ? at : -1;
    else if (!single && rest.startsWith(mark, at) && at > mark.length && fits(rest, mark, at)) return at;
  }
  return -1;
}

function fits(rest, mark, at) {
  const next = rest[at + mark.length] ?? "";
  if (mark === "_") return !WORD.test(next);
  if (mark === "*") return !/\s/.test(rest[at - 1]);
  return mark === "||" || mark === "~~" || next !== mark[0];
}

export function spoiler(...children) {
  return element("span", { class: "spoiler", onclick: (event) => event.currentTarget.classList.add("shown") }, ...children);
}

function code(rest) {
  const block = /^```(?:([\w+\-.#]+)\n)?\n*([^]*?)\n*```\n?/.exec(rest);
  if (block && block[2]) return { node: element("pre", {}, element("code", {}, block[2])), length: block[0].length };
  const inline = /^(`{1,2})([^]*?[^`])\1(?!`)/.exec(rest);
  return inline ? { node: element("code", {}, inline[2].trim() || inline[2]), length: inline[0].length } : null;
}

function autolink(rest) {
  const found = /^<(https?:\/\/[^\s>]+)>/.exec(rest);
  return found ? { node: anchor(found[1], [found[1]]), length: found[0].length } : null;
}

function anchor(href, children) {
  return element("a", { href, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

// The text between the square brackets `rest` begins with; brackets inside must be balanced.
function bracketed(rest) {
  if (rest[0] !== "[") return null;
  let depth = 0;
  for (let at = 0; at < rest.length; at++) {
    if (rest[at] === "\\") at++;
    else if (rest[at] === "[") depth++;
    else if (rest[at] === "]" && --depth === 0) return rest.slice(1, at);
  }
  return null;
}

// Mentions, custom emoji and times: everything Discord makes of angle brackets, and the two loud words.
function entity(rest) {
  const mention = /^(?:<(@[!&]?|#)\d+>|<\/[^:>]+:\d+>|<id:(?:browse|customize|guide)>|@everyone|@here)/.exec(rest);
  if (mention) return { node: element("span", { class: "mention" }, mention[0]), length: mention[0].length };
  const emoji = /^<a?(:\w+:)\d+>/.exec(rest);
  if (emoji) return { node: element("span", { class: "mention" }, emoji[1]), length: emoji[0].length };
  const time = /^<t:(-?\d{1,13})(?::[tTdDfFsSR])?>/.exec(rest);
  if (!time) return null;
  const words = new Date(Number(time[1]) * 1000).toLocaleString();
  return { node: element("span", { class: "time" }, words), length: time[0].length };
}
