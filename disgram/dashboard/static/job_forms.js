// Dialogs that create, change, test and delete a job.

import { openDialog, say } from "./dialogs.js";
import { element } from "./elements.js";
import { FIELDS, shownValue, typedValue } from "./job_fields.js";
import { previewDialog } from "./preview.js";
import { trusted } from "./service.js";

export function createDialog(state) {
  const name = element("input", { name: "jobName", maxlength: 100, autocomplete: "off" });
  const inputs = inputsOf({});
  return openDialog({
    title: "New job",
    content: [labelled("Name", name, "1 to 100 characters."), ...fieldsIn(inputs, {}, state), previewButton(inputs)],
    button: "Create",
    act: async () => {
      const body = { jobName: name.value.trim() };
      for (const field of FIELDS) {
        const value = typed(field, inputs);
        if (value) body[field.name] = value;
      }
      told(await trusted("POST", "job", { body }));
    },
  });
}

// `focus`: the name of the field to begin with.
export function changeDialog(state, job, focus) {
  const inputs = inputsOf(job);
  const done = openDialog({
    title: `Change ${job.jobName}`,
    content: [...fieldsIn(inputs, job, state), previewButton(inputs, job.jobName)],
    button: "Save",
    act: async () => told(await trusted("PATCH", "job", { body: { jobName: job.jobName, ...changes(inputs, job) } })),
  });
  inputs[focus]?.closest("details")?.setAttribute("open", "");
  inputs[focus]?.focus();
  return done;
}

// Only what differs; a value that was taken away is null.
function changes(inputs, job) {
  const found = {};
  for (const field of FIELDS) {
    const value = typed(field, inputs);
    if (field.kind === "secret" ? value : value !== before(field, job)) found[field.name] = value || null;
  }
  if (!Object.keys(found).length) throw new Error("Nothing is different.");
  return found;
}

function before(field, job) {
  return field.kind === "switch" ? Boolean(job[field.name]) : typedValue(field, shownValue(field, job));
}

function typed(field, inputs) {
  const input = inputs[field.name];
  return field.kind === "switch" ? input.checked : typedValue(field, input.value);
}

// What the service answered, and what it warns of.
function told(answer) {
  const warnings = answer.warnings ?? [];
  say([answer.message, ...warnings].join(". "), warnings.length > 0);
}

// --- the form ---

function inputsOf(job) {
  return Object.fromEntries(FIELDS.map((field) => [field.name, input(field, job)]));
}

function input(field, job) {
  const common = { name: field.name, autocomplete: "off", spellcheck: "false", placeholder: field.placeholder ?? "" };
  if (field.kind === "switch") {
    const box = element("input", { name: field.name, type: "checkbox" });
    box.checked = Boolean(job[field.name]);
    return box;
  }
  if (field.kind === "secret") return element("input", { ...common, placeholder: job[field.name] ?? common.placeholder });
  const box = field.kind === "long" ? element("textarea", { ...common, rows: 3 }) : element("input", common);
  box.value = shownValue(field, job);
  return box;
}

function fieldsIn(inputs, job, state) {
  const rows = (wanted) => FIELDS.filter(wanted).map((field) => labelled(field.label, inputs[field.name], hintOf(field, job, state)));
  const rules = element("details", {}, element("summary", {}, "Rules"), ...rows((field) => field.rule));
  if (FIELDS.some((field) => field.rule && job[field.name] !== undefined)) rules.open = true;
  return [...rows((field) => !field.rule), rules];
}

function hintOf(field, job, state) {
  if (field.kind !== "secret") return field.hint;
  if (job.jobName) return "Left empty, it stays as it is.";
  return state.default_webhook ? `${field.hint} Left empty: the DISCORD_WEBHOOK_URL of .env.` : field.hint;
}

// The label alone names the control; the hint describes it.
function labelled(words, control, hint) {
  const id = `hint-${control.name}`;
  control.setAttribute("aria-label", words);
  control.setAttribute("aria-describedby", id);
  return element("label", {}, words, control, element("small", { id }, hint));
}

function previewButton(inputs, job) {
  const show = () => {
    const [channel] = typedValue({ kind: "long" }, inputs.telegramChannels.value).split(",");
    if (channel) previewDialog(channel, job);
    else inputs.telegramChannels.focus();
  };
  return element("p", {}, element("button", { type: "button", onclick: show }, "Preview the first channel"));
}

// --- test and deletion ---

export function testDialog(job) {
  const send = element("input", { type: "checkbox", name: "send" });
  const result = element("div", { class: "result", role: "status" });
  return openDialog({
    title: `Test ${job.jobName}`,
    content: [
      element("p", {}, "Asks Discord about the webhook and Telegram about the channels; sends nothing."),
      element("label", { class: "switch" }, send, "Also send one message that is marked as a test"),
      result,
    ],
    button: "Test",
    close: "Close",
    act: async () => {
      result.replaceChildren("Asking …");
      const body = { jobName: job.jobName, ...(send.checked ? { send: true } : {}) };
      try {
        result.replaceChildren(...outcome(await trusted("POST", "job/test", { body })));
      } catch (error) {
        result.replaceChildren();
        throw error;
      }
      throw new Error(""); // stays open with the result
    },
  });
}

function outcome({ webhook, channels }) {
  const sign = (ok) => (ok ? "✓" : ok === null ? "?" : "✗");
  const items = channels.map((one) => {
    const words = one.ok ? `, newest post ${one.newest_post_id ?? "none"}` : (one.reason ?? "not asked").replaceAll("_", " ");
    return element("li", {}, `${sign(one.ok)} ${one.channel}: `, one.ok && element("bdi", {}, `“${one.title}”`), words);
  });
  return [element("ul", {}, element("li", {}, `${sign(webhook.ok)} Webhook: ${webhook.message}`), ...items)];
}

export function deleteDialog(job) {
  const name = element("input", { autocomplete: "off", name: "confirm" });
  return openDialog({
    title: `Delete ${job.jobName}`,
    content: [
      element("p", {}, "Its processes end and its progress is forgotten. What it sent stays in Discord."),
      labelled("Type the job's name", name, job.jobName),
    ],
    button: "Delete",
    danger: true,
    act: async () => {
      if (name.value.trim() !== job.jobName) throw new Error("That is not the job's name.");
      say((await trusted("DELETE", "job", { body: { jobName: job.jobName } })).message);
    },
  });
}
