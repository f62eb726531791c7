// What a channel would look like in Discord: its newest posts as they would be sent, before anything is sent.

import { openDialog, reason } from "./dialogs.js";
import { anchor, element } from "./elements.js";
import { runs } from "./markdown.js";
import { messageNode } from "./message.js";
import { trusted } from "./service.js";

// `job`: the name of the one whose rules and colour count, if it exists.
export function previewDialog(channel, job) {
  const view = element("div", { class: "preview", role: "region", tabindex: 0, "aria-label": "Messages" }, "Reading the channel …");
  const note = element("p", {}, "The newest posts as they would be sent. Pictures are shown by their names.");
  const closed = openDialog({ title: `Preview of ${channel}`, content: [note, view], look: "wide" });
  load(view, { "Telegram-Channels": channel, ...(job ? { "Job-Name": job } : {}) }); // it may ask for the password
  return closed;
}

async function load(view, headers) {
  try {
    const { posts } = await trusted("GET", "job/preview", { headers });
    view.classList.add("discord");
    view.replaceChildren(...(posts.length ? posts.flatMap(postNodes) : ["There are no posts."]));
  } catch (error) {
    view.replaceChildren(reason(error) || "Without the password no preview is made.");
  }
}

function postNodes(post) {
  if (!post.messages.length) return [filtered(post)];
  return post.messages.map((message, index) => messageNode(shown(message), index === 0));
}

function filtered(post) {
  return element("p", { class: "filtered" }, anchor(post.url, post.url.replace("https://", "")), " would not be sent: a rule leaves it out.");
}

// A payload as messageNode takes it.
function shown({ payload, files }) {
  const embeds = payload.embeds ?? [];
  const embedded = new Set(embeds.flatMap((embed) => [embed.image, embed.thumbnail]).map((part) => attached(part?.url)));
  return {
    id: "", timestamp: new Date().toISOString(), author: { username: payload.username ?? "" },
    content: payload.content ?? "", shown: runs(payload.content ?? ""),
    attachments: files.filter((name) => !embedded.has(name)).map((filename) => ({ filename, spoiler: filename.startsWith("SPOILER_") })),
    embeds: embeds.map(embed), components: payload.components ?? [],
  };
}

function attached(url) {
  return url?.startsWith("attachment://") ? url.slice("attachment://".length) : "";
}

function embed(one) {
  return {
    ...one,
    author: one.author && { ...one.author, icon_url: null },
    footer: one.footer && { ...one.footer, icon_url: null },
    image: one.image && { name: attached(one.image.url) || "picture" },
    thumbnail: null,
    title: runs(one.title ?? "", true),
    description: runs(one.description ?? ""),
    fields: (one.fields ?? []).map((field) => ({ ...field, name: runs(field.name, true), value: runs(field.value) })),
  };
}
