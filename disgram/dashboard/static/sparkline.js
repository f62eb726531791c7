// Posts per hour of the last 24 hours, as bars.

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 24;
const STEP = 5;

export function sparkline(counts) {
  const most = Math.max(...counts, 1);
  const sum = counts.reduce((one, other) => one + other, 0);
  const words = sum ? `${sum} posts in 24 hours, at most ${most} in one` : "No posts in 24 hours";
  const picture = svg("svg", {
    class: "spark", viewBox: `0 0 ${counts.length * STEP} ${HEIGHT}`, width: counts.length * STEP, height: HEIGHT,
    role: "img", "aria-label": words,
  });
  const title = svg("title");
  title.textContent = words;
  picture.append(title, ...counts.map((count, hour) => bar(count / most, hour)));
  return picture;
}

// An hour without posts is a line at the ground.
function bar(share, hour) {
  const height = share ? Math.max(2, Math.round(share * HEIGHT)) : 1;
  const look = share ? "" : "none";
  return svg("rect", { class: look, x: hour * STEP, y: HEIGHT - height, width: STEP - 1, height });
}

function svg(tag, attributes = {}) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}
