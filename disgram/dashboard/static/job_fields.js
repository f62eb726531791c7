// The fields of a job, as a form shows them. A further field is a row here.

// `name`: as in jobs.json. `kind`: "text", "long" (several lines), "secret" (never shown again) or "switch".
// `rule`: one of those behind "Rules"; the others are always in view.
export const FIELDS = [
  {
    name: "telegramChannels", label: "Telegram channels", kind: "long",
    hint: "Public channels, with commas or line breaks between them: name, @name or https://t.me/name. With /123 behind it, forwarding starts with post 123.",
  },
  {
    name: "webhookUrl", label: "Discord webhook", kind: "secret", placeholder: "https://discord.com/api/webhooks/…",
    hint: "In Discord: channel settings, Integrations, Webhooks, Copy Webhook URL.",
  },
  { name: "threadId", label: "Thread", kind: "text", hint: "Id of a thread of that channel, to post there." },
  { name: "embedColor", label: "Colour", kind: "text", placeholder: "89a7d9", hint: "Six hex digits." },
  { name: "include", label: "Include", kind: "text", rule: true, hint: "Only posts in whose words or file names this regular expression is found." },
  { name: "exclude", label: "Exclude", kind: "text", rule: true, hint: "No posts in which this one is found." },
  { name: "kinds", label: "Kinds", kind: "text", rule: true, placeholder: "photo,video", hint: "Only these kinds of posts; with - in front (-forward,-poll) none of these." },
  { name: "mention", label: "Mention", kind: "text", rule: true, hint: "Role ids, everyone or here: pinged with each post." },
  { name: "mentionIf", label: "Mention if", kind: "text", rule: true, hint: "Ping only with posts in which this regular expression is found." },
  { name: "silent", label: "Silent", kind: "switch", rule: true, hint: "Messages come without a push notification." },
  { name: "cooldown", label: "Cooldown", kind: "text", rule: true, placeholder: "300", hint: "Seconds between two looks at a channel, or a range such as 60-300." },
  { name: "initialPosts", label: "Initial posts", kind: "text", rule: true, placeholder: "20", hint: "How many of the newest posts come first." },
  { name: "threadName", label: "Thread name", kind: "text", rule: true, hint: "Forums: each post opens a thread; {title}, {date} and {first_line} are filled in." },
  { name: "tags", label: "Tags", kind: "text", rule: true, hint: "Ids of the tags of those threads." },
];

// What a form shows of a job's value.
export function shownValue(field, job) {
  const value = job[field.name] ?? "";
  return Array.isArray(value) ? value.map((one) => String(one).replace(/^https:\/\/t\.me\//, "")).join(",\n") : String(value);
}

// What is sent of what was typed. "" for nothing.
export function typedValue(field, text) {
  return field.kind === "long" ? text.split(/[\s,]+/).filter(Boolean).join(",") : text.trim();
}
