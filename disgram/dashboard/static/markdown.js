// Discord's Markdown, read as its client reads it: text -> runs, neighbouring characters that look the same.
//
// The rules are tried at each place, from left to right, and what a rule encloses is read again. Quirks of the
// client are kept: `~~` and `||` know no escapes, markers see into code and links, the longest of several
// emphasis rules wins, escapes are shown in link labels, a label that looks like a URL undoes its link.

const BLOCKS = ["quote", "pre", "heading", "subtext"];
const PLAIN = { styles: [], href: null, quoted: false, inline: false, label: false, title: false };

// Each run: {text, link?} and a key for each style ("bold": true, "heading": "1", "pre": "py"). A title has no
// blocks and no masked links.
export function runs(markdown, title = false) {
  const shown = [];
  for (const { text, styles, href } of together(read(markdown.trim(), { ...PLAIN, inline: title, title }))) {
    const look = {};
    for (const style of styles) {
      const [name, value] = style.split(/:(.*)/s);
      look[name] = value || true;
    }
    if (/^https?:\/\//.test(href ?? "")) look.link = href;
    const before = shown.at(-1);
    const blockEnds = before && BLOCKS.some((name) => name in before && !(name in look));
    shown.push({ text: blockEnds ? text.replace(/^\n/, "") : text, ...look }); // a block ends its line itself
  }
  return shown;
}

// Parts of equal look, joined.
function together(parts) {
  const joined = [];
  for (const part of parts) {
    const key = JSON.stringify([part.styles, part.href]);
    if (joined.at(-1)?.key === key) joined.at(-1).text += part.text;
    else joined.push({ ...part, key });
  }
  return joined;
}

function read(source, context) {
  const parts = [];
  for (let at = 0; at < source.length; ) {
    let found = null;
    for (const rule of RULES) if ((found = rule(source, at, context))) break;
    const [length, inner] = found ?? [1, show(source[at], context)];
    at += length;
    parts.push(...inner);
  }
  return parts;
}

function show(text, context) {
  return [{ text, styles: context.styles, href: context.href }];
}

function styled(context, style, inline = true) {
  const styles = [...new Set([...context.styles, style])].sort();
  return { ...context, styles, quoted: context.quoted || style === "quote", inline };
}

function match(pattern, source, at) {
  pattern.lastIndex = at;
  return pattern.exec(source);
}

// --- blocks ---

function lineStart(source, at) {
  return at === 0 || source[at - 1] === "\n";
}

function quote(source, at, context) {
  if (context.quoted || context.inline || !lineStart(source, at)) return null;
  const inside = styled(context, "quote", false);
  const rest = match(/ *>>> /y, source, at);
  if (rest) return [source.length - at, read(source.slice(at + rest[0].length), inside)];
  const lines = match(/(?: *> [^\n]*(?:\n|$))+/y, source, at);
  if (!lines) return null;
  const ends = lines[0].endsWith("\n");
  const inner = lines[0].replace(/\n$/, "").replace(/^ *> /gm, "");
  return [lines[0].length, [...read(inner, inside), ...(ends ? show("\n", PLAIN) : [])]];
}

// A heading or subtext: the rest of its line.
function line(source, at, context) {
  const found = !context.inline && lineStart(source, at) && match(/ *(#{1,3}|-#)\s+(\S[^\n]*)/y, source, at);
  if (!found) return null;
  const style = found[1] === "-#" ? "subtext" : `heading:${found[1].length}`;
  return [found[0].length, read(found[2], styled(context, style))];
}

// A list item's marker; what follows is read as any text is.
function listItem(source, at, context) {
  const found = !context.inline && lineStart(source, at) && match(/( *)([-*+]|[0-9]+\.)\s/y, source, at);
  if (!found) return null;
  const marker = /^[0-9]/.test(found[2]) ? found[2] : "•";
  return [found[0].length, show(`${found[1]}${marker} `, styled(context, "list"))];
}

function fence(source, at, context) {
  const found = match(/```(?:([A-Za-z0-9_+\-.#]+)\n)?\n*([^\n].*?)\n*```/sy, source, at);
  return found && [found[0].length, show(found[2], styled(context, found[1] ? `pre:${found[1]}` : "pre"))];
}

// --- leaves ---

function escape(source, at, context) {
  const found = match(/\\([^0-9A-Za-z\s])/y, source, at);
  return found && [found[0].length, show(context.label ? found[0] : found[1], context)];
}

function autolink(source, at, context) {
  const found = match(/<([^: >]+:\/[^ >\n]+)>/y, source, at);
  return found && [found[0].length, show(found[1], { ...context, href: found[1] })];
}

function url(source, at, context) {
  const found = !context.label && match(/https?:\/\/[^\s<]+[^<.,:;"'\])\s]/y, source, at);
  return found && [found[0].length, show(found[0], { ...context, href: found[0] })];
}

const LINK = /\[((?:\[[^\]]*\]|[^[\]]|\](?=[^[]*\]))+)\]\(\s*<?(https?:\/\/[^\s)<>]+)>?\s*\)/iy;

function link(source, at, context) {
  const found = !context.label && !context.title && match(LINK, source, at);
  if (!found) return null;
  const [whole, label, href] = found;
  if (/https?:\/\/[^\s<]{2}/.test(label) || /<[@#:/a-z]/.test(label)) {
    return [whole.length, show(whole, styled(context, "literal link", context.inline))];
  }
  return [whole.length, read(label, { ...context, href, inline: true, label: true })];
}

function code(source, at, context) {
  const found = match(/(`+)(.*?[^`])\1(?!`)/sy, source, at);
  return found && [found[0].length, show(found[2], styled(context, "code"))];
}

// Mentions, times, custom emoji, command and guide links; `:name:` may be an emoji, `:http:` is none.
const ENTITY = new RegExp(
  "<(?:@[!&]?[0-9]+|#[0-9]+|a?:[^\\s:<>]+:[0-9]+|t:-?[0-9]+(?::[A-Za-z])?|/[^\\s>]+:[0-9]+|id:[a-z]+)>" +
    "|@everyone|@here|:(?!https?://)[a-z0-9_+-]*[a-z][a-z0-9_+-]*:",
  "y",
);

function entity(source, at, context) {
  const found = match(ENTITY, source, at);
  return found && [found[0].length, show(found[0], styled(context, "entity"))];
}

// --- emphasis ---

// Where the first possible closing marker stands, with at least one character before it.
function closing(source, at, marker, escapes, notBefore) {
  for (let position = at; position < source.length; ) {
    if (position > at && source.startsWith(marker, position)) {
      const behind = source[position + marker.length];
      if (!behind || behind !== notBefore) return position;
    }
    position += escapes && source[position] === "\\" ? 2 : 1;
  }
  return null;
}

const blank = (char) => /\s/.test(char);

// `*…*`: no blank behind the opening or before the closing star; `**` pairs belong to the inside.
function starItalicEnd(source, at) {
  if (at >= source.length || blank(source[at])) return null;
  for (let position = at; position < source.length; ) {
    const char = source[position];
    const single = char === "*" && source[position + 1] !== "*";
    if (single) return position > at ? position : null;
    if (char === "\\" || char === "*") position += 2;
    else if (blank(char)) {
      while (position < source.length && blank(source[position])) position++;
      const rest = source.slice(position, position + 2);
      if (!rest || (rest[0] === "*" && rest !== "**")) return null;
    } else position++;
  }
  return null;
}

// `_…_`, the closing one not followed by an ASCII word character.
function underscoreItalicEnd(source, at) {
  for (let position = at; position < source.length; ) {
    const double = source.startsWith("__", position);
    if (source[position] === "_" && !double) {
      return position > at && !/[A-Za-z0-9_]/.test(source[position + 1] ?? "") ? position : null;
    }
    position += source[position] === "\\" || double ? 2 : 1;
  }
  return null;
}

// Bold, underline and italic compete: the longest wins, then italic, then bold.
function emphasis(source, at, context) {
  const found = [];
  const add = (end, rank, width, style) => end !== null && found.push({ stop: end + width, rank, width, style });
  if (source.startsWith("**", at)) add(closing(source, at + 2, "**", true, "*"), 1, 2, "bold");
  if (source.startsWith("__", at)) add(closing(source, at + 2, "__", true, "_"), 0, 2, "underline");
  if (source[at] === "*") add(starItalicEnd(source, at + 1), 2, 1, "italic");
  if (source[at] === "_") add(underscoreItalicEnd(source, at + 1), 2, 1, "italic");
  if (!found.length) return null;
  const best = found.sort((one, other) => other.stop - one.stop || other.rank - one.rank)[0];
  return [best.stop - at, read(source.slice(at + best.width, best.stop - best.width), styled(context, best.style))];
}

function paired(marker, style, notBefore) {
  return (source, at, context) => {
    if (!source.startsWith(marker, at)) return null;
    const end = closing(source, at + 2, marker, false, notBefore);
    return end === null ? null : [end + 2 - at, read(source.slice(at + 2, end), styled(context, style))];
  };
}

const RULES = [
  quote, line, listItem, fence, escape, autolink, entity, url, link, emphasis,
  paired("~~", "strike", "_"), paired("||", "spoiler"), code,
];
