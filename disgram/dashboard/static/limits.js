// Limits of Discord's that requests wait for now.

import { element } from "./elements.js";
import { reconcile } from "./reconcile.js";
import { counted, duration } from "./words.js";

const PAUSES = {
  global: "Discord asked for a pause of all requests",
  cloudflare: "Discord's edge refuses this address",
};

export function showLimits(section, { state }) {
  const pauses = Object.entries(state.limits.paused_seconds).filter(([, seconds]) => seconds > 0);
  const items = [
    ...pauses.map(([name, seconds]) => `${PAUSES[name] ?? name}: ${duration(seconds)} more.`),
    ...state.limits.waits.map(words),
  ];
  reconcile(section.querySelector(".list"), items.map((text, index) => ({ text, index })), (one) => String(one.index), (one) => element("li", {}, one.text));
  const rate = `${state.limits.requests_per_second} requests a second now.`;
  section.querySelector(".note").textContent = items.length ? rate : `None. ${rate}`;
}

function words({ jobs, of_channel: ofChannel, limit, window_seconds: seconds, used, waiting, blocked_seconds: blocked }) {
  const whose = jobs.length ? `the webhook of ${jobs.join(", ")}` : ofChannel ? "a Discord channel" : "a webhook";
  const rest = blocked ? `, closed for ${duration(blocked)}` : "";
  return `${counted(waiting, "request")} for ${whose}: ${used} of ${limit} in ${duration(seconds)} used${rest}.`;
}
